"""Everything that a page's webhooks tell, in our own words and values, with what the channel makes of it."""

from chatwright.ports.content import (
    Button,
    ButtonsContent,
    Card,
    CarouselContent,
    Content,
    LocationContent,
    MediaContent,
    ReplyContent,
    StoryReferenceContent,
    TextContent,
    UnsupportedContent,
)
from chatwright.ports.inbound import (
    DeliveryStatus,
    Inbound,
    InboundAccount,
    InboundConsent,
    InboundEcho,
    InboundEdit,
    InboundHandover,
    InboundLead,
    InboundMessage,
    InboundReaction,
    InboundReferral,
    InboundStatus,
    InboundUnknown,
    InboundWatermark,
    Person,
    Referral,
)
from tests.channels import meta
from tests.channels.meta import APP, AT, CDN, NOW, OTHER_APP, Json, attachment

PAGE = "100200300400500"
PSID = "7700000000000001"
OURS = "0198d0c0-0000-7000-8000-0000000000aa"
ADA = Person({"psid": PSID})
COMMENT = "1002003004_55"


def item(**parts: object) -> Json:
    return meta.item(PSID, PAGE, **parts)


def message(mid: str, **parts: object) -> Json:
    return meta.message(PSID, PAGE, mid, **parts)


def echo(mid: str, **parts: object) -> Json:
    return meta.echo(PSID, PAGE, mid, **parts)


def said(mid: str, content: Content, **more: object) -> InboundMessage:
    return InboundMessage(mid, ADA, content, sent_at=AT, **more)  # pyright: ignore[reportArgumentType]


def went_out(mid: str, content: Content, **more: object) -> InboundEcho:
    return InboundEcho(mid, ADA, content, sent_at=AT, **more)  # pyright: ignore[reportArgumentType]


MESSAGES: dict[str, tuple[Json, list[Inbound]]] = {
    "text": (
        message("m_1", text="Ein Café für zwei 🙂", nlp={"intents": []}),
        [said("m_1", TextContent(text="Ein Café für zwei 🙂"))],
    ),
    "quick reply": (
        message("m_2", text="Oat", quick_reply={"payload": "MILK_OAT"}),
        [said("m_2", ReplyContent(text="Oat", payload="MILK_OAT"))],
    ),
    "picture": (
        message("m_3", attachments=[attachment("image", url=CDN)]),
        [said("m_3", MediaContent(kind="image"), media=CDN)],
    ),
    "picture with text": (
        message("m_4", text="This one", attachments=[attachment("image", url=CDN)]),
        [said("m_4", MediaContent(kind="image", caption="This one"), media=CDN)],
    ),
    "three files": (
        message(
            "m_5",
            text="All of them",
            attachments=[
                attachment("video", url=f"{CDN}&n=1"),
                attachment("audio", url=f"{CDN}&n=2"),
                attachment("file", url=f"{CDN}&n=3"),
            ],
        ),
        [
            said("m_5", MediaContent(kind="video", caption="All of them"), media=f"{CDN}&n=1"),
            said("m_5/2", MediaContent(kind="audio"), media=f"{CDN}&n=2"),
            said("m_5/3", MediaContent(kind="file"), media=f"{CDN}&n=3"),
        ],
    ),
    "thumbs up as it was": (
        message("m_6", attachments=[attachment("image", url=CDN, sticker_id=369239263222822)]),
        [said("m_6", TextContent(text="👍"))],
    ),
    "thumbs up as it is": (
        message("m_7", attachments=[attachment("sticker", url=CDN, sticker_id="369239383222810")]),
        [said("m_7", TextContent(text="👍"))],
    ),
    "sticker": (
        message("m_8", attachments=[attachment("sticker", url=CDN, sticker_id=144884895685752)]),
        [said("m_8", MediaContent(kind="sticker"), media=CDN)],
    ),
    "place": (
        message(
            "m_9",
            attachments=[
                {"title": "Bean Bar", **attachment("location", coordinates={"lat": 48.2, "long": 16.37})}
            ],
        ),
        [said("m_9", LocationContent(latitude=48.2, longitude=16.37, name="Bean Bar"))],
    ),
    "place off the map": (
        message("m_10", attachments=[attachment("location", coordinates={"lat": 148.2, "long": 16.37})]),
        [said("m_10", UnsupportedContent(kind="location"))],
    ),
    "shared link": (
        message(
            "m_11",
            attachments=[{"type": "fallback", "title": "Our menu", "url": "https://bean.example/menu"}],
        ),
        [said("m_11", TextContent(text="Our menu\nhttps://bean.example/menu"))],
    ),
    "link with its preview": (
        message(
            "m_12",
            text="See https://bean.example/menu",
            attachments=[attachment("fallback", url="https://bean.example/menu", title="Our menu")],
        ),
        [said("m_12", TextContent(text="See https://bean.example/menu"))],
    ),
    "reel": (
        message("m_13", attachments=[attachment("reel", url=CDN, title="Latte art", reel_video_id=88)]),
        [said("m_13", MediaContent(kind="video", caption="Latte art"), media=CDN)],
    ),
    "shared post": (
        message("m_14", attachments=[attachment("share", url="https://www.facebook.com/bean/posts/9")]),
        [said("m_14", TextContent(text="https://www.facebook.com/bean/posts/9"))],
    ),
    "product": (
        message(
            "m_15",
            text="Is it still there?",
            attachments=[
                attachment(
                    "template",
                    product={
                        "elements": [
                            {
                                "id": "91",
                                "retailer_id": "beans-1kg",
                                "image_url": CDN,
                                "title": "Beans 1 kg",
                                "subtitle": "24.00 EUR",
                            }
                        ]
                    },
                )
            ],
        ),
        [
            said("m_15", TextContent(text="Is it still there?")),
            said(
                "m_15/2",
                CarouselContent(cards=[Card(title="Beans 1 kg", subtitle="24.00 EUR", image_url=CDN)]),
            ),
        ],
    ),
    "answer": (
        message("m_16", text="Yes, that", reply_to={"mid": "m_1", "is_self_reply": True}),
        [said("m_16", TextContent(text="Yes, that"), reply_to="m_1")],
    ),
    "from an ad": (
        message(
            "m_17",
            text="Hello",
            referral={
                "ref": "spring",
                "ad_id": 6045246247433,
                "source": "ADS",
                "type": "OPEN_THREAD",
                "ads_context_data": {"ad_title": "Spring roast", "photo_url": CDN, "post_id": "1_2"},
            },
        ),
        [
            said(
                "m_17",
                TextContent(text="Hello"),
                referral=Referral("ADS", "spring", "6045246247433", headline="Spring roast"),
            )
        ],
    ),
    "nobody can show it": (
        message("m_18", is_unsupported=True),
        [said("m_18", UnsupportedContent(kind="unsupported"))],
    ),
    "attachment of tomorrow": (
        message("m_19", attachments=[attachment("hologram", cube=1)]),
        [said("m_19", UnsupportedContent(kind="hologram"))],
    ),
    "text beyond all measure": (
        message("m_20", text="x" * 10_005),
        [said("m_20", TextContent(text="x" * 10_000))],
    ),
    "with the reference of a website": (
        {
            **message("m_21", text="Hi"),
            "sender": {"id": PSID, "user_ref": "visit-77"},
        },
        [
            InboundMessage(
                "m_21",
                Person({"psid": PSID, "user_ref": "user_ref:visit-77"}),
                TextContent(text="Hi"),
                sent_at=AT,
            )
        ],
    ),
    "seconds for a time": (
        {**message("m_22", text="Hi"), "timestamp": NOW},
        [said("m_22", TextContent(text="Hi"))],
    ),
    "press on a button": (
        item(postback={"mid": "m_23", "title": "Order", "payload": "ORDER"}),
        [said("m_23", ReplyContent(text="Order", payload="ORDER"))],
    ),
    "first press of somebody from an ad": (
        item(
            postback={
                "mid": "m_24",
                "title": "Get started",
                "payload": "START",
                "referral": {"ref": "flyer", "source": "SHORTLINK", "type": "OPEN_THREAD"},
            }
        ),
        [
            said(
                "m_24",
                ReplyContent(text="Get started", payload="START"),
                referral=Referral("SHORTLINK", "flyer"),
            )
        ],
    ),
}

ECHOES: dict[str, tuple[Json, list[Inbound]]] = {
    "of our own": (
        echo("m_40", text="Coming", app_id=int(APP), metadata=OURS),
        [went_out("m_40", TextContent(text="Coming"), message_id=OURS, by_app=True)],
    ),
    "of another app": (
        echo("m_41", text="Hello from elsewhere", app_id=int(OTHER_APP), metadata="campaign"),
        [went_out("m_41", TextContent(text="Hello from elsewhere"), author=OTHER_APP)],
    ),
    "of a person in the page's inbox": (
        echo("m_42", text="Anna here"),
        [went_out("m_42", TextContent(text="Anna here"))],
    ),
    "of buttons": (
        echo(
            "m_43",
            app_id=int(APP),
            metadata=OURS,
            attachments=[
                attachment(
                    "template",
                    template_type="button",
                    text="Milk?",
                    buttons=[{"type": "postback", "title": "Oat", "payload": "OAT"}],
                )
            ],
        ),
        [
            went_out(
                "m_43",
                ButtonsContent(text="Milk?", buttons=[Button(label="Oat", payload="OAT")]),
                message_id=OURS,
                by_app=True,
            )
        ],
    ),
    "of a template that Meta leaves out": (
        echo("m_44", attachments=[{"type": "template", "title": "An order", "payload": None}]),
        [went_out("m_44", UnsupportedContent(kind="template", text="An order"))],
    ),
    "of a file": (
        echo("m_45", attachments=[attachment("image", url=CDN)]),
        [went_out("m_45", MediaContent(kind="image"), media=CDN)],
    ),
}

NEWS: dict[str, tuple[Json, list[Inbound]]] = {
    "referral alone": (
        item(referral={"ref": "table-7", "source": "SHORTLINK", "type": "OPEN_THREAD"}),
        [InboundReferral(ADA, Referral("SHORTLINK", "table-7"), AT)],
    ),
    "referral from a website": (
        item(
            referral={
                "source": "CUSTOMER_CHAT_PLUGIN",
                "type": "OPEN_THREAD",
                "referer_uri": "https://bean.example/",
            }
        ),
        [InboundReferral(ADA, Referral("CUSTOMER_CHAT_PLUGIN", url="https://bean.example/"), AT)],
    ),
    "opt-in on a website": (
        item(optin={"ref": "newsletter"}),
        [
            InboundConsent(ADA, given=True, source="opted in on a website", at=AT, opens_window=True),
            InboundReferral(ADA, Referral("optin", "newsletter"), AT),
        ],
    ),
    "opt-in of a visitor": (
        {
            "recipient": {"id": PAGE},
            "timestamp": NOW * 1000,
            "optin": {"ref": "checkout", "user_ref": "visit-78"},
        },
        [
            InboundConsent(
                Person({"user_ref": "user_ref:visit-78"}),
                given=True,
                source="opted in on a website",
                at=AT,
                opens_window=True,
            ),
            InboundReferral(Person({"user_ref": "user_ref:visit-78"}), Referral("optin", "checkout"), AT),
        ],
    ),
    "notifications asked for": (
        item(optin={"type": "notification_messages", "payload": "NEWS", "notification_messages_token": "t"}),
        [InboundConsent(ADA, given=True, purpose="marketing", source="asked for notifications", at=AT)],
    ),
    "notifications stopped": (
        item(
            optin={
                "type": "notification_messages",
                "notification_messages_token": "t",
                "notification_messages_status": "STOP_NOTIFICATIONS",
            }
        ),
        [InboundConsent(ADA, given=False, purpose="marketing", source="stopped notifications", at=AT)],
    ),
    "delivery": (
        item(delivery={"mids": ["m_40", "m_43"], "watermark": NOW * 1000}),
        [
            InboundStatus("m_40", DeliveryStatus.DELIVERED, ADA, "m_40", AT),
            InboundStatus("m_43", DeliveryStatus.DELIVERED, ADA, "m_43", AT),
            InboundWatermark(ADA, DeliveryStatus.DELIVERED, before=AT),
        ],
    ),
    "delivery of everything": (
        item(delivery={"watermark": str(NOW * 1000 + 1000)}),
        [InboundWatermark(ADA, DeliveryStatus.DELIVERED, before=AT + meta.SECOND)],
    ),
    "reading": (
        item(read={"watermark": NOW}),
        [InboundWatermark(ADA, DeliveryStatus.READ, before=AT)],
    ),
    "reaction": (
        item(reaction={"mid": "m_40", "action": "react", "reaction": "love", "emoji": "❤️"}),
        [InboundReaction("m_40", ADA, "❤️", AT)],
    ),
    "reaction by its name": (
        item(reaction={"mid": "m_43", "action": "react", "reaction": "wow"}),
        [InboundReaction("m_43", ADA, "😮", AT)],
    ),
    "reaction taken back": (
        item(reaction={"mid": "m_40", "action": "unreact", "reaction": "love", "emoji": "❤️"}),
        [InboundReaction("m_40", ADA, "", AT)],
    ),
    "edit": (
        item(message_edit={"mid": "m_1", "text": "For three", "num_edit": 1}),
        [InboundEdit("m_1", ADA, TextContent(text="For three"), AT)],
    ),
    "second edit": (
        item(message_edit={"mid": "m_1", "text": "For four", "num_edit": 2}),
        [InboundEdit("m_1", ADA, TextContent(text="For four"), AT)],
    ),
    "taken from us": (
        item(take_thread_control={"previous_owner_app_id": APP, "metadata": "mine"}),
        [InboundHandover(ADA)],
    ),
    "handed to another app": (
        item(pass_thread_control={"new_owner_app_id": int(OTHER_APP), "previous_owner_app_id": APP}),
        [InboundHandover(ADA)],
    ),
    "blocked by policy": (
        {
            "recipient": {"id": PAGE},
            "timestamp": NOW * 1000,
            "policy_enforcement": {"action": "block", "reason": "Spam was reported."},
        },
        [
            InboundAccount(
                "policy_enforcement",
                "Meta has stopped this account from sending messages. Spam was reported.",
                "paused",
            )
        ],
    ),
    "released by policy": (
        {
            "recipient": {"id": PAGE},
            "timestamp": NOW * 1000,
            "policy_enforcement": {"action": "unblock"},
        },
        [InboundAccount("policy_enforcement", "Meta lets this account send messages again.", "ok")],
    ),
}

UNKNOWN: dict[str, tuple[Json, list[Inbound]]] = {
    "handed to us": (
        item(pass_thread_control={"new_owner_app_id": APP, "metadata": "please"}),
        [InboundUnknown("pass_thread_control")],
    ),
    "taken from another app": (
        item(take_thread_control={"previous_owner_app_id": OTHER_APP}),
        [InboundUnknown("take_thread_control")],
    ),
    "asked of us": (
        item(request_thread_control={"requested_owner_app_id": OTHER_APP}),
        [InboundUnknown("request_thread_control")],
    ),
    "account linked": (
        item(account_linking={"status": "linked", "authorization_code": "c"}),
        [InboundUnknown("account_linking")],
    ),
    "of tomorrow": (item(telepathy={"thought": 1}), [InboundUnknown("telepathy")]),
    "of nobody": ({"telepathy": {"thought": 1}}, [InboundUnknown("item of nobody")]),
}


def comment(verb: str, **parts: object) -> Json:
    """News of a comment under a post."""
    return {
        "field": "feed",
        "value": {
            "item": "comment",
            "verb": verb,
            "comment_id": COMMENT,
            "post_id": "1002003004_1",
            "parent_id": "1002003004_1",
            "from": {"id": PSID, "name": "Ada Byron"},
            "message": "How much is it?",
            "created_time": NOW,
            "post": {"permalink_url": "https://www.facebook.com/bean/posts/1"},
            **parts,
        },
    }


ADA_BY_NAME = Person({"psid": PSID}, name="Ada Byron")
QUESTION = StoryReferenceContent(
    kind="comment",
    reference=COMMENT,
    text="How much is it?",
    url="https://www.facebook.com/bean/posts/1",
)
CHANGES: dict[str, tuple[Json, list[Inbound]]] = {
    "comment": (
        comment("add"),
        [InboundMessage(COMMENT, ADA_BY_NAME, QUESTION, AT, opens_window=False)],
    ),
    "answer to a comment, with a picture": (
        comment("add", comment_id="1002003004_56", parent_id=COMMENT, message="", photo=CDN),
        [
            InboundMessage(
                "1002003004_56",
                ADA_BY_NAME,
                QUESTION.model_copy(update={"reference": "1002003004_56", "text": None}),
                AT,
                reply_to=COMMENT,
                opens_window=False,
            ),
            InboundMessage(
                "1002003004_56/2",
                ADA_BY_NAME,
                MediaContent(kind="image"),
                AT,
                media=CDN,
                reply_to=COMMENT,
                opens_window=False,
            ),
        ],
    ),
    "comment of somebody unnamed": (
        {
            "field": "feed",
            "value": {
                "item": "comment",
                "verb": "add",
                "comment_id": "1002003004_57",
                "message": "Hm",
                "created_time": NOW,
            },
        },
        [
            InboundMessage(
                "1002003004_57",
                Person({"comment": "comment:1002003004_57"}),
                StoryReferenceContent(kind="comment", reference="1002003004_57", text="Hm"),
                AT,
                opens_window=False,
            )
        ],
    ),
    "comment changed": (
        comment("edited", message="How much is the big one?"),
        [
            InboundEdit(
                COMMENT,
                ADA_BY_NAME,
                QUESTION.model_copy(update={"text": "How much is the big one?"}),
                AT,
            )
        ],
    ),
    "comment hidden": (comment("hide"), [InboundUnknown("feed comment hide")]),
    "like": (
        {"field": "feed", "value": {"item": "reaction", "verb": "add", "reaction_type": "like"}},
        [InboundUnknown("feed reaction add")],
    ),
    "lead": (
        {
            "field": "leadgen",
            "value": {
                "leadgen_id": 55500012,
                "page_id": PAGE,
                "form_id": "6600",
                "ad_id": 77,
                "created_time": NOW,
            },
        },
        [InboundLead("55500012", "6600", "77", at=AT)],
    ),
    "mention": (
        {"field": "mention", "value": {"post_id": "1_2", "verb": "add"}},
        [InboundUnknown("mention")],
    ),
}
