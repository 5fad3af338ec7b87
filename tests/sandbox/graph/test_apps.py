"""What concerns the app: its handshake, its tokens, and which accounts a token is good for."""

from collections.abc import AsyncGenerator
from typing import Any

import pytest_asyncio
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from tests.sandbox.graph.conftest import Shop
from tests.sandbox.running import Ear, Stage
from tests.serving import serving


async def _shake(request: Request) -> Response:
    """A product that expects webhooks with the token `expected`."""
    query = request.query_params
    if (query.get("hub.mode"), query.get("hub.verify_token")) != ("subscribe", "expected"):
        return Response(status_code=403)
    return PlainTextResponse(query["hub.challenge"])


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def product() -> AsyncGenerator[str]:
    async with serving(Starlette(routes=[Route("/hook", _shake)])) as url:
        yield f"{url}/hook"


async def _subscribe(shop: Shop, url: str, token: str) -> dict[str, Any]:
    app_id = shop.account["details"]["app_id"]
    app_token = f"{app_id}|{shop.account['secrets']['app_secret']}"
    form = {"object": "whatsapp_business_account", "callback_url": url, "verify_token": token}
    answer = await shop.stage.http.post(
        f"/graph/v26.0/{app_id}/subscriptions", data=form, params={"access_token": app_token}
    )
    return answer.json()


async def test_webhooks_go_where_hands_were_shaken(number: Shop, product: str) -> None:
    assert (await _subscribe(number, product, "guessed"))["error"]["code"] == 2200
    assert (await _subscribe(number, product, "expected")) == {"success": True}
    shown = await number.stage.control("GET", f"/accounts/whatsapp/{number.id}")
    assert shown["webhook_url"] == product
    await number.occur("handshake")


async def test_a_business_account_and_a_number_may_have_addresses_of_their_own(
    number: Shop, product: str
) -> None:
    waba = number.account["details"]["waba_id"]
    override = {"override_callback_uri": product, "verify_token": "guessed"}
    assert await number.refusal("POST", f"{waba}/subscribed_apps", **override) == "2200/1349126"
    override["verify_token"] = "expected"
    await number.ok("POST", f"{waba}/subscribed_apps", **override)
    await number.ok("POST", number.id, webhook_configuration=override)
    shown = await number.ok("GET", number.id, fields="webhook_configuration")
    assert shown["webhook_configuration"] == {
        "phone_number": product,
        "whatsapp_business_account": product,
        "application": number.ear.url,
    }
    [listed] = (await number.ok("GET", f"{waba}/subscribed_apps"))["data"]
    assert listed["whatsapp_business_api_data"]["id"] == number.account["details"]["app_id"]
    assert listed["override_callback_uri"] == product


async def test_a_number_is_heard_at_the_nearest_address(number: Shop, product: str) -> None:
    async def heard_of_a_message() -> bool:
        await number.act("say", text="Hi")
        return bool(await number.messages())

    override = {"override_callback_uri": product, "verify_token": "expected"}
    await number.stage.control("POST", "/clock", waits=10**9)
    await number.ok("POST", number.id, webhook_configuration=override)
    assert not await heard_of_a_message()
    await number.occur("field", field="account_alerts", value={"entity_type": "WABA"})
    assert [value["entity_type"] for value in await number.values()] == ["WABA"]
    await number.ok("POST", number.id, webhook_configuration={"override_callback_uri": ""})
    assert await heard_of_a_message()


async def test_tokens_tell_what_they_are_good_for(number: Shop) -> None:
    data = (await number.ok("GET", "debug_token", input_token=number.token))["data"]
    assert data["is_valid"]
    assert "whatsapp_business_messaging" in data["scopes"]
    data = (await number.ok("GET", "debug_token", input_token="nonsense"))["data"]
    assert (data["is_valid"], data["error"]["code"]) == (False, 190)


async def test_one_token_may_be_good_for_several_numbers(stage: Stage, ear: Ear) -> None:
    shared: dict[str, Any] = {"secrets": {"access_token": "shared-token"}, "details": {"waba_id": "2001"}}
    first = await stage.account("whatsapp", id="3001", **shared)
    await stage.account("whatsapp", id="3002", **shared)
    shop = Shop(stage, ear, first, {})
    listed = await shop.ok("GET", "2001/phone_numbers", fields="display_phone_number")
    assert [one["id"] for one in listed["data"]] == ["3001", "3002"]
    assert (await shop.ok("GET", "3002"))["id"] == "3002"
    assert await shop.refusal("GET", "3003") == "100/33"


async def test_one_envelope_may_tell_of_several_accounts(stage: Stage, ear: Ear) -> None:
    app = {"secrets": {"app_secret": "one-app"}, "faults": {"batch": 2}, "webhook_url": ear.url}
    for name in ("First", "Second"):
        account = await stage.account("messenger", name=name, **app)
        person = await stage.person(account)
        await stage.act(account, person, "say", text=name)
    await stage.settled()
    [event] = ear.events
    texts = [entry["messaging"][0]["message"]["text"] for entry in event["entry"]]
    assert (texts, len({entry["id"] for entry in event["entry"]})) == (["First", "Second"], 2)
    ear.heard.clear()


async def test_calls_without_a_token_or_to_nothing_are_refused(number: Shop) -> None:
    answer = await number.stage.http.get(f"/graph/v26.0/{number.id}")
    assert answer.json()["error"]["code"] == 104
    assert await number.refusal("GET", "1/2/3") == "2500"
    assert await number.refusal("POST", f"{number.id}/unheard_of") == "100/33"
    bare = await number.stage.http.get(f"/graph/{number.id}", params={"access_token": number.token})
    assert bare.json()["id"] == number.id
