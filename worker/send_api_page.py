"""The text of docs/send-api.md, from the models, the tags and the codes: ``python -m worker.send_api_page``."""

from __future__ import annotations

import sys

from envoi.action import ACTIONS
from envoi.fields import TYPING_LONGEST
from envoi.job import REPLY_LIMIT
from envoi.metadata import CALLER_LIMIT
from envoi.sendapi import instagram
from envoi.sendapi.buttons import BUTTON_TYPES
from envoi.sendapi.message import IMAGES_LIMIT, QUICK_REPLIES_LIMIT, TEXT_LIMIT
from envoi.sendapi.recipient import KINDS
from envoi.sendapi.size import DEPTH_LIMIT, OBJECT_LIMIT
from envoi.sendapi.tags import RETIREMENT, TAGS, TagUse
from envoi.sendapi.templates import TEMPLATE_TYPES
from envoi.settings import Settings
from envoi.upload_file import INSTAGRAM_IMAGE_LIMIT, LIMIT
from worker.attachments import FETCH_TIME, FETCH_TIME_VIDEO
from worker.codes import TABLE, Row


def _listed(values: tuple[str, ...]) -> str:
    return ", ".join(f"`{value}`" for value in values)


KEY_TTL = Settings.model_fields["key_ttl"].default / 3600
FILE_LIMIT, INSTAGRAM_LIMIT = LIMIT >> 20, INSTAGRAM_IMAGE_LIMIT >> 20  # MB

_HEAD = f"""\
# The Send API at the door

Printed by `python -m worker.send_api_page`. What `send` takes, each rule's limit, and what every error code leads
to. A job that breaks a rule is refused with `InvalidJob`, which names the field, the limit and the source of the
rule, before anything is enqueued.

## Recipients

Exactly one of {_listed(KINDS)}; `name` (`first_name`, `last_name`) may go beside `phone_number`. Each kind makes
conversations of its own: one person reached in two ways has two lines. A phone number is one person in any
spelling. The typing bubble and `mark_seen` are for `id` only and are left out for the others.

A private reply (`comment_id`, `post_id`) is one job to each comment or post, as Meta takes no second: without a `key`
of its own it has `reply:` and the comment's id, so a repeat returns the first job, and another text is a `KeyConflict`,
until {KEY_TTL:g} hours after the outcome. To try again after a job that failed, give a `key`. `commented_at`, when the
comment was written, caps `expires_at` at {REPLY_LIMIT.days} days after it. 10900, "already replied", fails the job; but
where an earlier call of this very job may have been taken (no answer, or an answered error) it is evidence that it was:
the job is `sent`, without a message id, and its error says why.

## Messages

Exactly one content:

| content | limits |
|---|---|
| `text` | 1 to {TEXT_LIMIT} characters |
| `attachment` of audio, file, image, video | `url` or `attachment_id`, exactly one; Meta's own: 25 MB, an image 8 MB |
| `attachment` of type template | {_listed(TEMPLATE_TYPES)} |
| `attachments` | 1 to {IMAGES_LIMIT} images |
| `template` | a utility template: `name`, `language.code`, `components`; only with `messaging_type` UTILITY |
| `sticker_id` | digits |

`template` may also stand at the top, in place of `message`. Besides: `metadata`, {CALLER_LIMIT} characters, behind
which the job's id is put; `quick_replies`, 1 to {QUICK_REPLIES_LIMIT} below a text or attachments, `title` 20 and
`payload` 1000 characters. `reply_to.mid`, `persona_id`, `notification_type` are as in the Send API. No object may
hold more than {OBJECT_LIMIT} characters or be nested deeper than {DEPTH_LIMIT}. `typing` is at most
{TYPING_LONGEST:g} seconds.

| template | limits |
|---|---|
| generic | 1 to 10 elements: `title` 80, `subtitle` 80, something besides the title, 1 to 3 buttons |
| button | `text` 640, 1 to 3 buttons |
| media | 1 element: image or video, by `attachment_id` or a facebook.com address, 1 to 3 buttons |
| receipt | needs `recipient_name`, `order_number`, `currency`, `payment_method`, `summary.total_cost`; 100 elements |
| product | 1 to 10 elements of `id` |
| coupon | `title` required; never with MESSAGE_TAG |
| customer_feedback | `title` 65, `subtitle` 80, `button_title` 20: no addresses; 1 question; `expires_in_days` 1 to 7 |
| image_grid | 2 to 6 `images` or `elements` (the facts name no field), `title` 45, `subtitle` 80, 1 to 3 buttons |

A template of another type is refused, unless the job says `allow_unknown=True`: then it is passed through
unchecked. Buttons: {_listed(BUTTON_TYPES)}; `title` 20, `payload` 1000 characters.

## Media by address, and files

Meta fetches an address once for a page. The first message call that carries it asks for an attachment id
(`is_reusable`); jobs with the same address and type wait for it, put back with a due time, at most {FETCH_TIME:g}
seconds (a video {FETCH_TIME_VIDEO:g}), and all later ones are sent by the id. An id is used for
`ENVOI_ATTACHMENT_LIFE`, or a week where nobody used it. An id that Meta does not know any more (100/2018074) is
forgotten and the job sent with its address, for no attempt. So what stands behind an address must not change: a job
whose payload says `is_reusable: false` always sends the address, and `ENVOI_REUSE_ATTACHMENTS=false` switches it off.
Left as they are: templates, `attachments`, jobs with an `attachment_id` of their own, and those for Instagram.

A local file cannot be enqueued, since workers cannot read it. `envoi upload PAGE FILE`, or `Envoi.upload(page, file)`,
gives it to Meta now and returns the attachment id to send: {FILE_LIMIT} MB at most (an image for Instagram
{INSTAGRAM_LIMIT}), not empty, and of the media type that its name and its first bytes tell. The errors are
`InvalidUpload` (nothing was sent) and `UploadFailed` (`verdict`: Refused, Throttled or TryLater).

## Actions

`Envoi.action(page, psid, action)` enqueues one sender action: {_listed(ACTIONS)}.
`react` needs `message_id` and `reaction` (an emoji; on Instagram `love`), `unreact` a `message_id`; recipients are
given by `id` only. It has its place in the conversation's order, and is a courtesy: one call, `sent` if it was
accepted and `failed` otherwise, with Graph's error or for want of an answer; it is not tried again, and delays and
fails nothing behind it. Only if its worker is lost is it made again, perhaps for the second time, which does no
harm. It takes no part of the page's pace of messages, and a third of a message's part of the pace of claims.

## Instagram

With `platform="instagram"`: recipients {_listed(instagram.RECIPIENTS)}; text at most {instagram.TEXT_BYTES} bytes
of UTF-8; at most {instagram.IMAGES} images; templates {_listed(instagram.TEMPLATES)}; buttons
{_listed(instagram.BUTTONS)}; quick replies of plain text; of the tags only HUMAN_AGENT; no persona, no utility
template. Attachments `MEDIA_SHARE` and `like_heart` are for Instagram alone.

## Message tags

`MESSAGE_TAG` needs a `tag`, and a tag needs `MESSAGE_TAG`. A retired tag: {RETIREMENT}. `ENVOI_RETIRED_TAGS` says
what becomes of such a job: `warn` (the default: it is taken, with a Python warning `RetiredTag`), `refuse` or
`allow`.

| tag | allowed | forbidden | until | Instagram | retired | checked at the door |
|---|---|---|---|---|---|---|
"""

_CODES = """
## Error codes

What the answer to a message call means, by code and subcode; a subcode without a row counts as its code.
Confidence: V verified, L likely.

| code | subcode | meaning | consequence | confidence | source |
|---|---|---|---|---|---|
"""


def send_api_page() -> str:
    """The text of docs/send-api.md."""
    return _HEAD + "".join(map(_tag_row, TAGS)) + _CODES + "".join(map(_code_row, TABLE))


def _tag_row(tag: TagUse) -> str:
    until = f"{tag.limit} days" if tag.limit else "no fixed limit"
    uses = f"{'; '.join(tag.allowed)} | {'; '.join(tag.forbidden)}"
    yes_no = f"{_yes(tag.instagram)} | {_yes(tag.retired)}"
    return f"| `{tag.name}` | {uses} | {until} | {yes_no} | {tag.checked} |\n"


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def _code_row(row: Row) -> str:
    subcode = "" if row.subcode is None else row.subcode
    tries = f", {row.tries} attempts at most" if row.tries else ""
    return (
        f"| {row.code} | {subcode} | {row.meaning} | {row.outcome.value}{tries} | {row.confidence} | {row.source} |\n"
    )


if __name__ == "__main__":
    sys.stdout.write(send_api_page())
