"""Rules that only one side knows, each with its reason. Every other difference between the two is a mistake.

The door may be stricter than the sandbox where the facts say nothing: what it lets pass must be storable, and better
refused at once than by Meta a day later. The sandbox refuses only what the facts say, in words and codes of Meta's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from envoi.errors import Problem
from sandbox.errors import GraphError

_NO_FORM = "the facts name the field and nothing of its form; the door keeps to Meta's samples"
_OURS = "a bound of our own: the facts give none, and Redis and SQL need one"


@dataclass(frozen=True)
class DoorRule:
    """What the door alone refuses.

    Attributes:
        field: pattern of the whole path; numbers of elements are written ``N``.
        limit: pattern of the whole limit.
        reason: why the sandbox does not know it.
        templates: the types of template that it is about; empty: whatever the content.
    """

    field: str
    limit: str
    reason: str
    templates: tuple[str, ...] = ()

    def covers(self, problem: Problem, template: object) -> bool:
        """Whether this rule is what the problem of a message with this type of template is about."""
        if self.templates and template not in self.templates:
            return False
        return bool(re.fullmatch(self.field, _numberless(problem.field)) and re.fullmatch(self.limit, problem.limit))


@dataclass(frozen=True)
class SandboxRule:
    """What the sandbox alone refuses, by code and subcode."""

    code: int
    subcode: int
    reason: str

    def covers(self, error: GraphError) -> bool:
        """Whether this rule is what the error is about."""
        return (error.code, error.subcode) == (self.code, self.subcode)


_IDS = "ids of Graph are digits; that it refuses others is known of recipient[id] alone"
_EMPTY_TEXT = "an optional text that is empty counts as left out in a request; in a job it is a mistake"
_EMPTY_LIST = "whether Graph takes an empty list where none is needed is not known: leave it out"

RECEIPT, FEEDBACK = ("receipt",), ("customer_feedback",)
_PAYLOAD = r"message\.attachment\.payload"
_BUTTON = rf"{_PAYLOAD}(\.elements\.N)?\.buttons\.N"
_WEBVIEW = rf"({_BUTTON}|{_PAYLOAD}\.elements\.N\.default_action)"
_ADDRESS = r"must be an address that begins with http:// or https://"
_EMPTY = r"must not be empty"
_DIGITS = r"must be (a string of 1 to 64 digits|digits.*)"
_TEXT = rf"(must be a string|{_EMPTY}|is required)"

DOOR_RULES = (
    DoorRule(
        ".*", r"must be valid UTF-8.*", "UTF-8 is asked of message.text alone; no other text can be sent without it"
    ),
    DoorRule(".*", r"must not contain the character NUL", "no PostgreSQL row holds it; the facts say nothing of it"),
    DoorRule(
        ".*",
        r"is not a parameter that this version knows",
        "what Graph makes of unknown fields is not known; the door tells a misspelt one",
    ),
    DoorRule(".*", r"at most (1000|8192|131072) characters( in all)?", _OURS),
    DoorRule(
        r"recipient\.(user_ref|(notification_messages|one_time_notif)_token)", r"at most 1000 bytes of UTF-8", _OURS
    ),
    DoorRule(".*", r"at most 16 objects and lists in one another", _OURS),
    DoorRule(
        r"message\.metadata",
        r"at most 966 characters",
        "the limit less what the job's id takes: 999 to be safe (SEND_API 12), the reference says 1000",
    ),
    DoorRule(r"message\.template\.name", r"at most 512 characters", _OURS),
    DoorRule(rf"{_PAYLOAD}\.adjustments", r"at most 100 elements", _OURS, RECEIPT),
    DoorRule(rf"({_PAYLOAD}(\.elements\.N)?\.buttons|message\.quick_replies)", r"at least 1 element", _EMPTY_LIST),
    DoorRule(
        rf"({_PAYLOAD}.*|message\.quick_replies\.N)\.(title|subtitle|payload|button_title|placeholder)",
        _EMPTY,
        _EMPTY_TEXT,
    ),
    DoorRule(r"message\.quick_replies\.N\.image_url", _ADDRESS, _EMPTY_TEXT),
    DoorRule(rf"{_PAYLOAD}\.elements\.N\.image_url", _ADDRESS, _EMPTY_TEXT, ("generic",)),
    DoorRule(rf"{_PAYLOAD}\.feedback_screens\.N\.questions\.N\.title", r"at least 5 characters", _EMPTY_TEXT, FEEDBACK),
    DoorRule(
        r".*\.(url|image_url|coupon_url)",
        _ADDRESS,
        "what is a valid URL to Graph is not known in full: the door refuses spaces too",
    ),
    DoorRule(
        rf"{_WEBVIEW}\.(webview_height_ratio|messenger_extensions|fallback_url|webview_share_button)", ".*", _NO_FORM
    ),
    DoorRule(rf"{_BUTTON}\.game_metadata", r"must be an object", _NO_FORM),
    DoorRule(rf"{_BUTTON}\.payload", r"must be a string", _NO_FORM),
    DoorRule(rf"{_PAYLOAD}\.(sharable|image_aspect_ratio)", r"must be .*", _NO_FORM),
    DoorRule(rf"{_PAYLOAD}\.(coupon_.*|payload|image_url|subtitle)", ".*", _NO_FORM, ("coupon",)),
    DoorRule(rf"{_PAYLOAD}\.(merchant_name|order_url|timestamp|currency)", ".*", _NO_FORM, RECEIPT),
    DoorRule(
        rf"{_PAYLOAD}\.(address|adjustments|summary)(\..*)?",
        ".*",
        "the facts know the required fields of a receipt; these are as in Meta's samples",
        RECEIPT,
    ),
    DoorRule(
        rf"{_PAYLOAD}\.elements\.N(\.(title|subtitle|quantity|price|currency|image_url))?",
        ".*",
        "of a receipt's elements the facts give the number alone",
        RECEIPT,
    ),
    DoorRule(
        rf"({_PAYLOAD}\.elements\.N\.(attachment_id|id)|{_PAYLOAD}\.id|message\.sticker_id|persona_id)", _DIGITS, _IDS
    ),
    DoorRule(rf"({_PAYLOAD}\.id|message\.sticker_id)", _TEXT, _IDS),
    DoorRule(r"recipient\.id", r"must be a string of 1 to 64 digits", "the facts give no length of an id"),
    DoorRule(r"recipient\.(comment_id|post_id)", r"must be a string of digits, with '_' between its parts", _IDS),
    DoorRule(
        r"recipient\.phone_number", r"must be a number such as .*", "the facts show a style, not what Graph refuses"
    ),
    DoorRule(r"recipient\.name(\..*)?", ".*", "unverified: SEND_API 12"),
    DoorRule(
        rf"{_PAYLOAD}\.feedback_screens\.N\.questions\.N\.(follow_up\.type|score_label|score_option)",
        ".*",
        _NO_FORM,
        FEEDBACK,
    ),
    DoorRule(
        r"message\.(attachment|attachments\.N)\.payload\.is_reusable",
        r"must be True or False",
        "writers of forms send the text true; a job is not a form",
    ),
    DoorRule(
        r"message\.template\.language\.code",
        r"must be a language .*",
        "what codes there are, Meta says when it approves the template",
    ),
    DoorRule(
        r"message\.quick_replies\.N\.title",
        r"at most 20 characters",
        "Instagram cuts a longer one (SEND_API 3): the door does not let a text be cut",
    ),
    DoorRule(
        r"(messaging_type|notification_type|reply_to)",
        r"must be .*",
        "a parameter that is null or empty counts as left out in a request; in a job it is a mistake",
    ),
    DoorRule(
        rf"{_PAYLOAD}\.template_type",
        r"a coupon is promotional.*",
        "a policy: Meta forbids it and is not known to refuse it",
        ("coupon",),
    ),
)

SANDBOX_RULES = (
    SandboxRule(100, 2018074, "whether an attachment id is known, the page's own and young enough, only Meta can say"),
    SandboxRule(100, 1893061, "the tags that Meta retired: the door warns, and refuses with ENVOI_RETIRED_TAGS=refuse"),
)


def _numberless(field: str) -> str:
    return re.sub(r"(?<=\.)\d+(?=\.|$)", "N", field)


@dataclass(frozen=True)
class Difference:
    """What the two sides say differently about one job.

    Attributes:
        allowed: the rules that allow it.
        mistakes: what no rule allows.
    """

    allowed: tuple[DoorRule | SandboxRule, ...]
    mistakes: tuple[str, ...]


def difference(document: dict[str, object], problems: tuple[Problem, ...], refusal: GraphError | None) -> Difference:
    """Compare what the two sides say."""
    if problems and refusal is None:
        return _of_the_door(problems, _template_of(document))
    if refusal is not None and not problems:
        rules = tuple(rule for rule in SANDBOX_RULES if rule.covers(refusal))
        return Difference(rules, () if rules else (f"only the sandbox refuses: {refusal.message}",))
    return Difference((), ())


def _of_the_door(problems: tuple[Problem, ...], template: object) -> Difference:
    allowed: list[DoorRule] = []
    mistakes = []
    for problem in problems:
        rules = [rule for rule in DOOR_RULES if rule.covers(problem, template)]
        allowed += rules[:1]
        mistakes += [] if rules else [f"only the door refuses: {problem}"]
    return Difference(tuple(allowed), tuple(mistakes))


def _template_of(document: dict[str, object]) -> object:
    found: object = document
    for name in ("message", "attachment", "payload", "template_type"):
        found = found.get(name) if isinstance(found, dict) else None
    return found
