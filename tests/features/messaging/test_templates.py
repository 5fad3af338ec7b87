"""Templates: submitted, approved or not, read anew, and refused in words where they cannot be sent."""

from typing import Any

import pytest

from chatwright.features.messaging.errors import NoTemplates, TemplateNotFound, TemplateNotUsable
from chatwright.features.messaging.operations import send_message
from chatwright.features.messaging.templates.operations import (
    create_template,
    delete_template,
    get_template,
    list_templates,
    sync_templates,
)
from chatwright.kernel.errors import InvalidInput
from chatwright.ports.channel import TemplateTaken
from chatwright.ports.templates import ProviderTemplate
from tests.features.messaging.conftest import Post
from tests.features.messaging.office import Office, office, offices

__all__ = ["office", "offices"]

BODY = [{"type": "BODY", "text": "Your order {{1}} is on its way."}]


async def submitted(
    office: Office, name: str = "order_sent", components: list[dict[str, Any]] = BODY
) -> dict[str, Any]:
    return await office.desk.call(
        create_template,
        inbox_id=office.inbox_id,
        name=name,
        language="en_US",
        category="utility",
        components=components,
    )


async def send(office: Office, name: str) -> dict[str, Any]:
    conversation = await office.conversation()
    content = {"type": "template", "name": name, "language": "en_US"}
    return await office.desk.call(send_message, conversation_id=conversation["id"], content=content)


class TestLifecycle:
    async def test_one_is_submitted_approved_and_deleted(self, office: Office) -> None:
        template = await submitted(office)
        assert (template["status"], template["components"]) == ("pending", BODY)
        await office.news("template", name="order_sent", language="en_US", status="approved", quality="GREEN")
        shown = await office.desk.call(get_template, template_id=template["id"])
        assert (shown["status"], shown["quality"], shown["category"]) == ("approved", "GREEN", "utility")
        assert await office.events("template.changed") == [{"status": "approved", "before": "pending"}]
        await office.desk.call(delete_template, template_id=template["id"])
        assert office.channel.provider.templates == {}
        with pytest.raises(TemplateNotFound):
            await office.desk.call(get_template, template_id=template["id"])

    async def test_a_rejection_says_why_and_an_approval_takes_it_back(self, office: Office) -> None:
        template = await submitted(office)
        news = {"name": "order_sent", "language": "en_US", "template_id": "t-order_sent"}
        await office.news("template", **news, status="rejected", reason="INVALID_FORMAT")
        shown = await office.desk.call(get_template, template_id=template["id"])
        assert (shown["status"], shown["reason"]) == ("rejected", "INVALID_FORMAT")
        await office.news("template", **news, status="approved")
        shown = await office.desk.call(get_template, template_id=template["id"])
        assert (shown["status"], shown["reason"]) == ("approved", None)

    async def test_news_of_one_that_was_made_elsewhere_is_kept(self, office: Office) -> None:
        await office.news("template", name="made_elsewhere", language="vi", status="approved")
        page = await office.desk.call(list_templates, inbox_id=office.inbox_id, status="approved")
        assert [template["name"] for template in page["items"]] == ["made_elsewhere"]

    async def test_reading_anew_learns_changes_and_forgets_what_is_gone(self, office: Office) -> None:
        await submitted(office, "one")
        await submitted(office, "two")
        provider = office.channel.provider
        del provider.templates["one", "en_US"]
        provider.templates["two", "en_US"] = ProviderTemplate("two", "en_US", "marketing", "approved")
        provider.templates["three", "vi"] = ProviderTemplate("three", "vi", "utility", "something new")
        synced = await office.desk.call(sync_templates, inbox_id=office.inbox_id)
        assert synced == {"known": 2, "changed": 2, "gone": 1}
        assert (await office.desk.call(sync_templates, inbox_id=office.inbox_id))["changed"] == 0
        page = await office.desk.call(list_templates, inbox_id=office.inbox_id)
        assert {one["name"]: one["status"] for one in page["items"]} == {
            "two": "approved",
            "three": "something new",
        }

    async def test_one_that_the_provider_took_from_a_call_that_was_killed_is_taken_as_it_is(
        self, office: Office
    ) -> None:
        """As the provider has it by now: approved, in another category, with what it adds itself."""
        there = [{"type": "FOOTER", "text": "Bye"}, {"type": "BODY", "text": "Hi {{1}}!", "id": 7}]
        provider = office.channel.provider
        provider.templates["hi", "en_US"] = ProviderTemplate("hi", "en_US", "marketing", "approved", there)
        asked = [{"type": "body", "text": "Hi {{1}}!", "example": {"body_text": [["Jo"]]}}]
        with pytest.raises(TemplateTaken):
            await submitted(office, "hi", asked)
        template = await submitted(office, "hi", [*asked, {"type": "FOOTER", "text": "Bye"}])
        assert (template["status"], template["category"]) == ("approved", "marketing")
        assert template["components"] == there
        assert await submitted(office, "hi", there) == template
        assert len(provider.templates) == 1

    async def test_one_that_is_being_deleted_is_not_taken_for_a_new_one(self, office: Office) -> None:
        provider = office.channel.provider
        provider.templates["hi", "en_US"] = ProviderTemplate("hi", "en_US", "utility", "deleted", BODY)
        with pytest.raises(TemplateTaken):
            await submitted(office, "hi")


class TestRefusals:
    async def test_another_one_of_that_name_is_refused(self, office: Office) -> None:
        await submitted(office)
        with pytest.raises(TemplateTaken, match="'order_sent' in 'en_US' already") as caught:
            await submitted(office, components=[{"type": "BODY", "text": "Your order {{1}} is here."}])
        assert caught.value.code == "TEMPLATE_TAKEN"

    async def test_a_name_that_no_provider_takes_is_refused(self, office: Office) -> None:
        with pytest.raises(InvalidInput):
            await submitted(office, "Order Sent")

    async def test_a_channel_without_templates_says_so(self, post: Post) -> None:
        with pytest.raises(NoTemplates):
            await post.desk.call(sync_templates, inbox_id=post.inbox_id)

    async def test_one_that_is_not_approved_is_not_sent(self, office: Office) -> None:
        await office.write("hi")
        await submitted(office)
        with pytest.raises(TemplateNotUsable, match="'order_sent' in 'en_US' is pending"):
            await send(office, "order_sent")
        await office.news("template", name="order_sent", language="en_US", status="approved")
        assert (await send(office, "order_sent"))["status"] == "queued"
        assert (await send(office, "never_heard_of"))["status"] == "queued"
