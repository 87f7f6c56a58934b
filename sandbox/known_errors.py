"""The codes and subcodes of SEND_API 4, each with a message of its own kind.

Messages are Meta's where a capture or a page gives them; a client may not depend on any of them: Meta localises them.
"""

from __future__ import annotations

from collections.abc import Mapping

Pair = tuple[int, int | None]

KNOWN: Mapping[Pair, str] = {
    (-1, None): "Internal error",
    (1, None): "An unknown error occurred",
    (1, 99): "An unknown error occurred",
    (1, 1357046): "Received Invalid JSON reply",
    (2, None): "An unexpected error has occurred. Please retry your request later.",
    (2, 2018344): "The page must accept the privacy terms",
    (3, None): "Application does not have the capability to make this API call.",
    (4, None): "Application request limit reached",
    (4, 2018022): "Too many send requests to phone numbers",
    (4, 2018354): "The minimum delay between marketing messages has not passed",
    (9, 2018352): "Too many opt-in requests to this person",
    (10, None): "Application does not have permission for this action",
    (10, 2018278): "This message is sent outside of allowed window.",
    (10, 2534022): "This message is sent outside of allowed window.",
    (10, 2018065): "This message is sent outside of allowed window. The subscription permission is needed.",
    (10, 2018108): "This person isn't receiving messages from you right now.",
    (10, 2018300): "Another app is controlling this thread now.",
    (10, 2018336): "The thread of this user is affected by rules of the region.",
    (10, 1893015): "The person stopped notifications on this topic",
    (10, 1893063): "This Page is temporarily restricted from sending messages",
    (10, 1404170): "This Page is restricted from sending opt-in requests",
    (10, 2534077): "The link between the Page and the Instagram account cannot be verified",
    (17, None): "User request limit reached",
    (32, None): "Page request limit reached",
    (80001, None): "There have been too many calls to this Page account. Wait a bit and try again.",
    (80002, None): "There have been too many calls to this Instagram account. Wait a bit and try again.",
    (80006, None): "There have been too many calls to this Messenger account. Wait a bit and try again.",
    (341, None): "Application limit reached",
    (613, None): "Calls to this api have exceeded the rate limit.",
    (613, 1996): "Inconsistent behaviour in the volume of requests was seen",
    (613, 2534040): "Too many requests to this Instagram account",
    (613, 2018338): "Too many tagged messages were sent to this person",
    (613, 1893016): "An opt-in request on this topic was sent already",
    (100, None): "Invalid parameter",
    (100, 33): "Unsupported post request.",
    (100, 2018001): "No matching user found",
    (100, 2018008): "Failed to fetch the file from the url",
    (100, 2018014): "Cannot send both message and state at the same time.",
    (100, 2018015): "Must send either message or state",
    (100, 2018032): "Invalid data",
    (100, 2018034): "Message cannot be empty, must provide valid attachment or text",
    (100, 2018040): "Postback payload cannot be empty",
    (100, 2018041): "Button URL cannot be empty",
    (100, 2018047): "Upload attachment failure.",
    (100, 2018048): "Sender action failed",
    (100, 2018053): "Button title cannot be empty",
    (100, 2018074): "Invalid Attachment ID, or you do not own this attachment.",
    (100, 2018109): "Attachment size exceeds allowable limit",
    (100, 2018164): "Invalid app ID",
    (100, 2018294): "Video upload timed out, or the video is corrupt",
    (100, 2018320): "Invalid product ID",
    (100, 2018328): "Products need a newer version of the API",
    (100, 1893061): "Invalid parameter",
    (100, 2534013): "The Page is not linked to an Instagram account",
    (100, 2534014): "The requested user cannot be found.",
    (100, 2534015): "Invalid message data",
    (100, 2534025): "Invalid private reply",
    (100, 2534029): "The business is blocked on Instagram",
    (100, 2534037): "The app is not the owner of this thread",
    (105, None): "The parameter has too many elements",
    (194, None): "The parameter has too few elements",
    (102, None): "Session key invalid or no longer valid",
    (104, None): "An access token is required to request this resource.",
    (190, None): "Invalid OAuth access token - Cannot parse access token",
    **{
        (190, subcode): f"Error validating access token: {reason}"
        for subcode, reason in {
            458: "The user has not authorized application.",
            459: "The user must log in to pass a checkpoint.",
            460: "The session has been invalidated because the user changed the password.",
            463: "Session has expired.",
            464: "Sessions for the user are not allowed because the user is not a confirmed user.",
            467: "The session is invalid because the user logged out.",
            490: "The user is enrolled in a blocking, logged-in checkpoint.",
            492: "The session has been invalidated because the user lost the role on the Page.",
            493: "The user has not used the app for 90 days.",
            2069032: "The user lacks a permission on the Page.",
        }.items()
    },
    (200, None): "Permissions error",
    (200, 1545041): "This person isn't available right now.",
    (200, 2018021): "A fee is due for sends to phone numbers",
    (200, 2018027): "The permission to send to phone numbers is missing",
    (200, 2018028): "Cannot message users who are not admins, developers or testers of the app until it is reviewed.",
    (200, 2534041): "The owner of the Instagram account has switched off access to messages",
    (230, None): "Permissions disallow message to user",
    (368, None): "The action attempted has been deemed abusive or is otherwise disallowed",
    (551, None): "This person isn't available right now.",
    (551, 1545041): "This person isn't available right now.",
    (803, None): "Some of the aliases you requested do not exist",
    (1200, None): "Temporary send message failure. Please try again later.",
    (1200, 2018024): "Temporary send message failure. Please try again later.",
    (2022, None): "Commerce messages are temporarily disabled",
    (10303, None): "Invalid account linking token",
    (10900, None): "Activity already replied to",
    (10903, None): "This user can't reply to this activity",
    (10904, None): "The Page has messages switched off",
    (2018321, None): "The automated questions of Messenger control this thread",
    (9000001, None): "The message has been deleted",
}

# SEND_API 4, Shape: `is_transient: true` was seen with 2 and 4.
TRANSIENT = frozenset[Pair]({(2, None), (4, None)})

# SEND_API 4, Shape: "GraphMethodException (100/33)".
GRAPH_METHOD = frozenset[Pair]({(100, 33)})

# SEND_API 0.4: "all messages were sent, yet the endpoint returned an error".
DELIVERED = frozenset[Pair]({(1, 1357046)})

# SEND_API 4, Shape: a message "usually" starts with "(#code)"; captures of these do not (190: facebook-ios-sdk#2576,
# 104: gs-consuming-rest#10, 100/33: node-fb-messenger#37, 2: nodejs-sdk#97).
WITHOUT_CODE = frozenset[Pair]({(2, None), (104, None), (190, None), (100, 33)})
