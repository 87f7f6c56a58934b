"""The text of docs/send-api.md, from the models, the tags and the codes: ``python -m worker.send_api_page``."""

from __future__ import annotations

import sys

from envoi.action import ACTIONS
from envoi.job import REPLY_LIMIT
from envoi.metadata import CALLER_LIMIT
from envoi.sendapi import instagram
from envoi.sendapi.attachment import INSTAGRAM_ONLY
from envoi.sendapi.message import TEXT_LIMIT
from envoi.sendapi.size import DEPTH_LIMIT, OBJECT_LIMIT
from envoi.sendapi.tags import RETIREMENT, TAGS, TagUse
from envoi.sendapi.templates import TEMPLATE_TYPES
from envoi.settings import Settings
from envoi.upload_file import INSTAGRAM_IMAGE_LIMIT, LIMIT
from worker.attachments import FETCH_TIME, FETCH_TIME_VIDEO
from worker.send_api_errors import error_tables
from worker.send_api_fields import field_tables


def _listed(values: tuple[str, ...]) -> str:
    return ", ".join(f"`{value}`" for value in values)


KEY_TTL = Settings.model_fields["key_ttl"].default / 3600
FILE_LIMIT, INSTAGRAM_LIMIT = LIMIT >> 20, INSTAGRAM_IMAGE_LIMIT >> 20  # MB

_HEAD = f"""\
# The Send API at the door

Printed by `python -m worker.send_api_page`. What `send` takes, each rule's limit, and what every answer leads to.
Sources: SEND_API is the project's sheet of facts about the platform; "ours" is a bound of our own.

```python
envoi.send("PAGE", "PSID", "hello")  # an id and a text, or the Send API's own objects:
envoi.send("PAGE", {{"user_ref": "REF"}}, {{"attachment": {{"type": "image", "payload": {{"url": "https://…"}}}}}})
envoi.send("PAGE", "PSID", "hello", messaging_type="MESSAGE_TAG", tag="HUMAN_AGENT")
envoi.send("PAGE", "IGSID", "hello", platform="instagram")
```

A job that breaks a rule is refused before anything is enqueued. All that is wrong with it is told at once:

    InvalidJob: message.text: at most {TEXT_LIMIT} characters [SEND_API 3]; lane: must be 'replies' or 'bulk'

Every text must be UTF-8 without the character NUL, lengths are counted in characters, no object may hold more than
{OBJECT_LIMIT} characters in all or be nested deeper than {DEPTH_LIMIT} (ours), and a field that is not in the tables
below is refused.

## Recipients

Exactly one of these. Each kind makes conversations of its own: one person reached in two ways has two lines.

| kind | who | besides |
|---|---|---|
| `id` | a person by page-scoped id (Instagram: Instagram-scoped) | the only kind with typing and `mark_seen` |
| `user_ref` | from the checkbox plugin | no `recipient_id` in the answer |
| `comment_id` | who wrote a comment: a private reply | see below |
| `post_id` | who wrote a post on the page: a private reply | see below; Messenger only |
| `phone_number` | +1(212)555-2368, in any spelling; beside it `name` | no `recipient_id`; a permission of its own |
| `notification_messages_token` | who opted in to notifications | |
| `one_time_notif_token` | who asked to be told once | one message; Messenger only |

**Private replies** (`comment_id`, `post_id`): one message to each comment or post, within 7 days of it (a comment on a
live video of Instagram: while it is live), and none after it until the person answers, and so becomes an `id`. A
second one is refused by Meta with 10900. Typing and `mark_seen` are left out: there is no thread yet.
One job to each comment or post, then: without a `key` of its own it has `reply:` and the comment's id, so a repeat
returns the first job, and another text is a `KeyConflict`, until {KEY_TTL:g} hours after the outcome. To try again
after a job that failed, give a `key`. `commented_at`, when the comment was written, caps `expires_at` at
{REPLY_LIMIT.days} days after it. 10900, "already replied", fails the job; but where an earlier call of this very job
may have been taken (no answer, or an answered error) it is evidence that it was: the job is `sent`, without a message
id, and its error says why.

## Kinds of message

| `messaging_type` | what for |
|---|---|
| `RESPONSE` (default) | an answer, within the window: 24 hours after the person last wrote, tapped or reacted |
| `UPDATE` | a message of the page's own accord, within the window |
| `MESSAGE_TAG` | outside the window, not promotional, with a `tag` |
| `UTILITY` | a utility template that Meta has approved: `message.template` |

`notification_type`: REGULAR (Meta's default) with sound, SILENT_PUSH on the screen alone, NO_PUSH not at all.
`reply_to.mid` is the message that is answered; the person must have written in the last 24 hours.

## Contents

Exactly one: a text, one attachment, several images (`attachments`), a utility template (`template`), or a sticker.
`quick_replies` go with a text or attachments; those of content type text need a title. `metadata` comes back in the
echo; behind it Envoi puts the job's id, so it has {CALLER_LIMIT} characters and not 1000.

Media come by `url`, which Meta fetches (25 MB, an image 8 MB; within 10 seconds, a video 75), or by `attachment_id` of
an upload of the page's own, for 90 days. Templates: {_listed(TEMPLATE_TYPES)}. Beyond their tables below:

* generic: an element has something besides its title.
* media: exactly one of `attachment_id` and `url`, which is of facebook.com.
* coupon: promotional, so never with `MESSAGE_TAG`.
* customer_feedback: no addresses in `title`, `subtitle` and `button_title`; the only template for CUSTOMER_FEEDBACK.
* image_grid: either `images` or `elements`; the facts name no field.
* another type is refused, unless the job says `allow_unknown=True`: then it passes unchecked.

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

With `platform="instagram"`: recipients {_listed(instagram.RECIPIENTS)}; text at most {instagram.TEXT_BYTES} bytes of
UTF-8; at most {instagram.IMAGES} images; templates {_listed(instagram.TEMPLATES)}; buttons
{_listed(instagram.BUTTONS)}; quick replies of plain text, without image; of the tags only HUMAN_AGENT; no persona, no
utility template. Attachments {_listed(INSTAGRAM_ONLY)} are for Instagram alone.

## Message tags

`MESSAGE_TAG` needs a `tag`, and a tag needs `MESSAGE_TAG`. What can be checked at the door is; whether a message
fits its tag is for you to see to, and Meta restricts pages whose messages do not. The lists of what is forbidden are
not complete. "Until" counts from the person's last message.

A retired tag: {RETIREMENT}.
`ENVOI_RETIRED_TAGS` says what becomes of such a job: `warn` (the default: it is taken, with a Python warning
`RetiredTag`), `refuse` or `allow`.

| tag | allowed | forbidden | until | Instagram | retired | checked at the door |
|---|---|---|---|---|---|---|
"""

_FIELDS = """
## Every field

"""


def send_api_page() -> str:
    """The text of docs/send-api.md."""
    return _HEAD + "".join(map(_tag_row, TAGS)) + _FIELDS + field_tables() + error_tables()


def _tag_row(tag: TagUse) -> str:
    until = f"{tag.limit} days" if tag.limit else "no fixed limit"
    uses = f"{'; '.join(tag.allowed)} | {'; '.join(tag.forbidden)}"
    yes_no = f"{_yes(tag.instagram)} | {_yes(tag.retired)}"
    return f"| `{tag.name}` | {uses} | {until} | {yes_no} | {tag.checked} |\n"


def _yes(value: bool) -> str:
    return "yes" if value else "no"


if __name__ == "__main__":
    sys.stdout.write(send_api_page())
