"""Pictures of the shop's goods, drawn with a few shapes."""

from __future__ import annotations

_FRAME = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="480" height="280" viewBox="0 0 480 280">'
    '<defs><linearGradient id="s" x1="0" y1="0" x2="0" y2="1"><stop offset="0" stop-color="{above}"/>'
    '<stop offset="1" stop-color="{below}"/></linearGradient></defs>'
    '<rect width="480" height="280" fill="url(#s)"/>{shapes}</svg>'
)
_TENT = (
    '<circle cx="390" cy="62" r="26" fill="#fff3c4"/>'
    '<path d="M0 190 90 110l70 60 90-100 110 120 60-50 60 50v100H0Z" fill="#2c4a6e"/>'
    '<rect y="224" width="480" height="56" fill="#31543f"/>'
    '<path d="M240 92 360 240H120Z" fill="#3f7fd6"/><path d="M240 92 274 240h-68Z" fill="#ffd98a"/>'
    '<path d="M240 92 206 240l-86 0Z" fill="#5a97e6"/>'
)
_LANTERN = (
    '<circle cx="240" cy="150" r="118" fill="#ffdf9b" opacity=".28"/><circle cx="240" cy="150" r="76" fill="#ffdf9b" '
    'opacity=".45"/><path d="M206 84a34 34 0 0 1 68 0" fill="none" stroke="#33261c" stroke-width="8"/>'
    '<rect x="196" y="84" width="88" height="22" rx="7" fill="#33261c"/>'
    '<rect x="204" y="106" width="72" height="92" fill="#fff2cf"/>'
    '<path d="M240 124c20 26 20 50 0 58-20-8-20-32 0-58Z" fill="#f29a2e"/>'
    '<rect x="190" y="198" width="100" height="28" rx="8" fill="#33261c"/>'
)
_MUG = (
    '<path d="M0 214q60-34 130-14t130-10 220 12v78H0Z" fill="#fff" opacity=".85"/>'
    '<path d="M324 132h26a30 30 0 0 1 0 74h-32" fill="none" stroke="#c8483c" stroke-width="15"/>'
    '<path d="M160 112h170l-11 122a16 16 0 0 1-16 14H187a16 16 0 0 1-16-14Z" fill="#d9574a"/>'
    '<ellipse cx="245" cy="112" rx="85" ry="14" fill="#5a3524"/><path d="M160 112h170" stroke="#fff" stroke-width="5" '
    'opacity=".5"/><path d="M215 84q-14-20 0-38M255 84q-14-20 0-38" fill="none" stroke="#fff" stroke-width="7" '
    'stroke-linecap="round" opacity=".8"/>'
)

PICTURES = {
    "tent": _FRAME.format(above="#24395c", below="#e39a78", shapes=_TENT),
    "lantern": _FRAME.format(above="#1f2233", below="#4a3a3a", shapes=_LANTERN),
    "mug": _FRAME.format(above="#7fb2dd", below="#d8ecf7", shapes=_MUG),
}
