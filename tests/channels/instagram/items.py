"""Everything that an Instagram account's webhooks tell, in our own words and values, with what it comes to."""

from chatwright.ports.content import (
    Card,
    CarouselContent,
    Content,
    MediaContent,
    ReplyContent,
    StoryReferenceContent,
    TextContent,
    UnsupportedContent,
)
from chatwright.ports.inbound import (
    DeliveryStatus,
    Inbound,
    InboundEcho,
    InboundEdit,
    InboundMessage,
    InboundReaction,
    InboundReferral,
    InboundUnknown,
    InboundWatermark,
    Person,
    Referral,
)
from tests.channels import meta
from tests.channels.meta import APP, AT, CDN, NOW, Json, attachment

ACCOUNT = "17841400000000042"
IGSID = "98800000000000017"
ADA = Person({"igsid": IGSID})
STORY = "https://www.instagram.com/stories/bean.bar/31"


def item(**parts: object) -> Json:
    return meta.item(IGSID, ACCOUNT, **parts)


def message(mid: str, **parts: object) -> Json:
    return meta.message(IGSID, ACCOUNT, mid, **parts)


def echo(mid: str, **parts: object) -> Json:
    return meta.echo(IGSID, ACCOUNT, mid, **parts)


def said(mid: str, content: Content, **more: object) -> InboundMessage:
    return InboundMessage(mid, ADA, content, sent_at=AT, **more)  # pyright: ignore[reportArgumentType]


ITEMS: dict[str, tuple[Json, list[Inbound]]] = {
    "text": (
        message("aWdf1", text="Habt ihr Hafermilch? 🥛"),
        [said("aWdf1", TextContent(text="Habt ihr Hafermilch? 🥛"))],
    ),
    "quick reply": (
        message("aWdf2", text="Oat", quick_reply={"payload": "OAT"}),
        [said("aWdf2", ReplyContent(text="Oat", payload="OAT"))],
    ),
    "ice breaker": (
        item(postback={"mid": "aWdf3", "title": "When are you open?", "payload": "HOURS"}),
        [said("aWdf3", ReplyContent(text="When are you open?", payload="HOURS"))],
    ),
    "picture": (
        message("aWdf4", attachments=[attachment("image", url=CDN)]),
        [said("aWdf4", MediaContent(kind="image"), media=CDN)],
    ),
    "voice": (
        message("aWdf5", attachments=[attachment("audio", url=CDN)]),
        [said("aWdf5", MediaContent(kind="audio"), media=CDN)],
    ),
    "story mention": (
        message("aWdf6", attachments=[attachment("story_mention", url=CDN)]),
        [said("aWdf6", StoryReferenceContent(kind="story_mention", reference="aWdf6", url=CDN))],
    ),
    "story mention that is over": (
        message("aWdf7", attachments=[attachment("story_mention")]),
        [said("aWdf7", StoryReferenceContent(kind="story_mention", reference="aWdf7"))],
    ),
    "answer to a story": (
        message("aWdf8", text="I want that!", reply_to={"story": {"id": "1790031", "url": STORY}}),
        [
            said(
                "aWdf8",
                StoryReferenceContent(
                    kind="story_reply", reference="1790031", text="I want that!", url=STORY
                ),
            )
        ],
    ),
    "answer to a story with a picture": (
        message(
            "aWdf9",
            reply_to={"story": {"id": "1790031", "url": STORY}},
            attachments=[attachment("image", url=CDN)],
        ),
        [
            said("aWdf9", StoryReferenceContent(kind="story_reply", reference="1790031", url=STORY)),
            said("aWdf9/2", MediaContent(kind="image"), media=CDN),
        ],
    ),
    "answer to a message": (
        message("aWdf10", text="Both", reply_to={"mid": "aWdf1", "is_self_reply": False}),
        [said("aWdf10", TextContent(text="Both"), reply_to="aWdf1")],
    ),
    "shared post as it was": (
        message("aWdf11", attachments=[attachment("share", url=CDN, title="New beans")]),
        [said("aWdf11", MediaContent(kind="file", caption="New beans"), media=CDN)],
    ),
    "shared post told twice": (
        message(
            "aWdf12",
            attachments=[
                attachment("share", url=CDN, title="New beans", ig_post_media_id="178"),
                attachment("ig_post", url=CDN, title="New beans", ig_post_media_id="178"),
            ],
        ),
        [said("aWdf12", MediaContent(kind="file", caption="New beans"), media=CDN)],
    ),
    "reel": (
        message("aWdf13", attachments=[attachment("ig_reel", url=CDN, title="Pouring", reel_video_id="7")]),
        [said("aWdf13", MediaContent(kind="video", caption="Pouring"), media=CDN)],
    ),
    "heart": (
        message("aWdf14", attachments=[{"type": "like_heart"}]),
        [said("aWdf14", TextContent(text="❤️"))],
    ),
    "gone when seen": (
        message("aWdf15", attachments=[attachment("ephemeral")]),
        [said("aWdf15", UnsupportedContent(kind="ephemeral"))],
    ),
    "what Meta cannot show": (
        message("aWdf16", attachments=[attachment("unsupported_type")]),
        [said("aWdf16", UnsupportedContent(kind="unsupported_type"))],
    ),
    "what nobody can show": (
        message("aWdf17", is_unsupported=True),
        [said("aWdf17", UnsupportedContent(kind="unsupported"))],
    ),
    "product": (
        message(
            "aWdf18",
            attachments=[
                attachment(
                    "template", product={"elements": [{"id": "9", "title": "Cup", "subtitle": "9 EUR"}]}
                )
            ],
        ),
        [said("aWdf18", CarouselContent(cards=[Card(title="Cup", subtitle="9 EUR")]))],
    ),
    "about a product": (
        message("aWdf19", text="In blue?", referral={"product": {"id": "9001"}}),
        [said("aWdf19", TextContent(text="In blue?"), referral=Referral("product", headline="9001"))],
    ),
    "from an ad": (
        message(
            "aWdf20",
            text="Hi",
            referral={
                "ref": "autumn",
                "ad_id": "600",
                "source": "ADS",
                "type": "OPEN_THREAD",
                "ads_context_data": {"ad_title": "Autumn", "photo_url": CDN},
            },
        ),
        [
            said(
                "aWdf20", TextContent(text="Hi"), referral=Referral("ADS", "autumn", "600", headline="Autumn")
            )
        ],
    ),
    "link alone": (
        item(referral={"ref": "bio", "source": "IGME", "type": "OPEN_THREAD"}),
        [InboundReferral(ADA, Referral("IGME", "bio"), AT)],
    ),
    "seen": (
        item(read={"mid": "aWdf50"}),
        [InboundWatermark(ADA, DeliveryStatus.READ, "aWdf50")],
    ),
    "reaction": (
        item(reaction={"mid": "aWdf50", "action": "react", "reaction": "love", "emoji": "❤"}),
        [InboundReaction("aWdf50", ADA, "❤", AT)],
    ),
    "reaction taken back": (
        item(reaction={"mid": "aWdf50", "action": "unreact"}),
        [InboundReaction("aWdf50", ADA, "", AT)],
    ),
    "edit": (
        item(message_edit={"mid": "aWdf1", "text": "Habt ihr Sojamilch?", "num_edit": 1}),
        [InboundEdit("aWdf1", ADA, TextContent(text="Habt ihr Sojamilch?"), AT)],
    ),
    "echo of ours": (
        echo("aWdf50", text="Yes", app_id=int(APP)),
        [InboundEcho("aWdf50", ADA, TextContent(text="Yes"), sent_at=AT, by_app=True)],
    ),
    "echo of a person in Instagram": (
        echo("aWdf51", text="Anna here"),
        [InboundEcho("aWdf51", ADA, TextContent(text="Anna here"), sent_at=AT)],
    ),
    "handed over": (
        item(pass_thread_control={"new_owner_app_id": APP}),
        [InboundUnknown("pass_thread_control")],
    ),
    "of tomorrow": (item(telepathy={"thought": 1}), [InboundUnknown("telepathy")]),
}

COMMENTER = Person({"igsid": IGSID}, name="ada.byron", username="ada.byron")


def comment(field: str = "comments", **parts: object) -> Json:
    """A comment under a post."""
    return {
        "field": field,
        "value": {
            "id": "17900000000000001",
            "from": {"id": IGSID, "username": "ada.byron"},
            "text": "How much is it?",
            "media": {"id": "18000000000000001", "media_product_type": "FEED"},
            **parts,
        },
    }


QUESTION = StoryReferenceContent(kind="comment", reference="17900000000000001", text="How much is it?")
CHANGES: dict[str, tuple[Json, list[Inbound]]] = {
    "comment": (
        comment(),
        [InboundMessage("17900000000000001", COMMENTER, QUESTION, AT, opens_window=False)],
    ),
    "answer to a comment": (
        comment(id="17900000000000002", parent_id="17900000000000001", text="And the big one?"),
        [
            InboundMessage(
                "17900000000000002",
                COMMENTER,
                StoryReferenceContent(kind="comment", reference="17900000000000002", text="And the big one?"),
                AT,
                reply_to="17900000000000001",
                opens_window=False,
            )
        ],
    ),
    "comment under an ad": (
        comment(
            id="17900000000000003",
            media={"id": "180", "media_product_type": "AD", "ad_id": "600", "ad_title": "Autumn"},
        ),
        [
            InboundMessage(
                "17900000000000003",
                COMMENTER,
                QUESTION.model_copy(update={"reference": "17900000000000003"}),
                AT,
                referral=Referral("ad", ad_id="600", headline="Autumn"),
                opens_window=False,
            )
        ],
    ),
    "comment under a live video": (
        comment("live_comments", id="17900000000000004", text="Hello from Wien"),
        [
            InboundMessage(
                "17900000000000004",
                COMMENTER,
                StoryReferenceContent(kind="comment", reference="17900000000000004", text="Hello from Wien"),
                AT,
                opens_window=False,
            )
        ],
    ),
    "mention": (
        {"field": "mentions", "value": {"media_id": "180", "comment_id": "179"}},
        [InboundUnknown("mentions")],
    ),
    "story numbers": (
        {"field": "story_insights", "value": {"media_id": "180", "reach": 7, "at": NOW}},
        [InboundUnknown("story_insights")],
    ),
}
