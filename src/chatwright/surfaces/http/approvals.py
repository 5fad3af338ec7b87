"""The pages on which people decide calls of programs that wait for them. They need no script."""

from collections.abc import Mapping
from typing import Any, cast

import orjson
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from chatwright.features.workspaces.approvals.models import MOST_HOURS
from chatwright.features.workspaces.approvals.operations import (
    approve_call,
    get_approval,
    get_approval_policy,
    list_approvals,
    refuse_call,
    set_approval_policy,
)
from chatwright.kernel.caller import Caller
from chatwright.kernel.errors import ChatwrightError, InvalidInput
from chatwright.kernel.paging import MAX_LIMIT
from chatwright.ports.operations import operation_named
from chatwright.surfaces.http.connections import at, to_sign_in, workspace_name
from chatwright.surfaces.http.identity import person_of
from chatwright.surfaces.http.oauth.forms import once, read_form
from chatwright.surfaces.http.pages import HTML, filled, message_page, page
from chatwright.surfaces.http.parts import parts_of

LATELY = 20
MOST_ROWS = 20
NONE_WAITING = HTML("<p>Nothing waits for you.</p>")
NONE_DECIDED = HTML("<p>Nothing yet.</p>")
SUPERVISIONS = {
    "none": "only of supervised programs",
    "risky": "deletions, exports, what goes out",
    "writes": "whatever changes something",
}
"""What a workspace may want to see first, in words that follow `Calls of programs that wait`."""


def approval_routes() -> list[Route]:
    """The queue, and each call in it."""
    return [
        Route("/approvals", show_queue, methods=["GET"]),
        Route("/approvals/policy", set_policy, methods=["POST"]),
        Route("/approvals/{approval_id:uuid}", show_call, methods=["GET"]),
        Route("/approvals/{approval_id:uuid}", decide, methods=["POST"]),
    ]


async def show_queue(request: Request) -> Response:
    """What waits, and what was decided lately."""
    person = await person_of(request)
    if person is None:
        return to_sign_in(request)
    try:
        waiting = await _listed(request, person, status="waiting", limit=MAX_LIMIT)
        lately = await _listed(request, person, limit=LATELY)
        policy = await _policy_form(request, person)
    except ChatwrightError as error:
        return _sorry(request, error)
    cards = "".join(filled("approval_waiting", **_words(one)) for one in waiting)
    decided = "".join(
        filled("approval_decided", **_words(one)) for one in lately if one["status"] != "waiting"
    )
    body = filled(
        "approvals",
        workspace=await workspace_name(request, person),
        waiting=HTML(cards) or NONE_WAITING,
        decided=HTML(f"<ul>{decided}</ul>") if decided else NONE_DECIDED,
        policy=policy,
    )
    return page(request, "Approvals", body)


async def set_policy(request: Request) -> Response:
    """Say which calls wait from now on."""
    person = await person_of(request)
    if person is None:
        return to_sign_in(request)
    try:
        wish = dict(await read_form(request))
        await parts_of(request).pipeline.run(person, set_approval_policy, wish)
    except ChatwrightError as error:
        return message_page(request, "Nothing was changed", error.message, error.http_status)
    return RedirectResponse("/approvals", 303, {"cache-control": "no-store"})


async def show_call(request: Request) -> Response:
    """One call, with the forms that decide it while it waits."""
    person = await person_of(request)
    if person is None:
        return to_sign_in(request)
    try:
        approval = await _found(request, person)
    except ChatwrightError as error:
        return _sorry(request, error)
    return _call_page(request, person, approval)


async def decide(request: Request) -> Response:
    """Approve or refuse, and show what became of it; with a word on what is wrong, where something is."""
    person = await person_of(request)
    if person is None:
        return to_sign_in(request)
    told: dict[str, str] = {}
    approval: dict[str, Any] | None = None
    try:
        approval = await _found(request, person)
        told = once(await read_form(request))
        if told.get("decision") == "try":
            tried = await _tried(request, person, approval, told)
            return _call_page(request, person, approval, typed=told.get("arguments"), tried=tried)
        await _decide(request, person, approval, told)
    except ChatwrightError as error:
        if approval is None or approval["status"] != "waiting":
            return _sorry(request, error)
        return _call_page(request, person, approval, error, told.get("arguments"))
    return RedirectResponse(f"/approvals/{approval['id']}", 303, {"cache-control": "no-store"})


async def _decide(
    request: Request, person: Caller, approval: Mapping[str, Any], told: Mapping[str, str]
) -> None:
    pipeline = parts_of(request).pipeline
    wish: dict[str, object] = {"approval_id": approval["id"]}
    match told.get("decision"):
        case "approve":
            wish["arguments"] = _changes(approval["arguments"], told.get("arguments", ""))
            await pipeline.run(person, approve_call, wish)
        case "refuse":
            wish["reason"] = told.get("reason", "").strip() or None
            await pipeline.run(person, refuse_call, wish)
        case _:
            raise InvalidInput("Say whether to approve or to refuse it.")


async def _tried(
    request: Request, person: Caller, approval: Mapping[str, Any], told: Mapping[str, str]
) -> HTML:
    """What the call would answer if it were approved now."""
    changes = _changes(approval["arguments"], told.get("arguments", ""))
    wish = {"approval_id": approval["id"], "arguments": changes}
    value = (await parts_of(request).pipeline.rehearse(person, approve_call, wish)).value
    return filled("approval_tried", result=_as_json(value["result"]))


def _changes(shown: Mapping[str, Any], text: str) -> dict[str, Any] | None:
    """The arguments that the person changed; what is hidden stays as it was asked for. Raises InvalidInput."""
    try:
        told: object = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise InvalidInput("The arguments are no JSON.") from None
    if not isinstance(told, dict):
        raise InvalidInput("The arguments must be one JSON object.")
    wanted = cast("dict[str, Any]", told)
    if missing := sorted(shown.keys() - wanted.keys()):
        raise InvalidInput(f"Arguments cannot be left out: {', '.join(missing)}.")
    return {
        name: inner for name, inner in wanted.items() if name not in shown or shown[name] != inner
    } or None


async def _policy_form(request: Request, person: Caller) -> HTML:
    """What the workspace wants to see first, for whoever may change it."""
    if not set_approval_policy.open_to(person):
        return HTML()
    policy = (await parts_of(request).pipeline.run(person, get_approval_policy, {})).value
    options = "".join(
        f'<option value="{value}"{" selected" if value == policy["supervision"] else ""}>{words}</option>'
        for value, words in SUPERVISIONS.items()
    )
    return filled("approval_policy", options=HTML(options), hours=str(policy["hours"]), most=str(MOST_HOURS))


async def _listed(request: Request, person: Caller, **wish: object) -> list[dict[str, Any]]:
    return (await parts_of(request).pipeline.run(person, list_approvals, wish)).value["items"]


async def _found(request: Request, person: Caller) -> dict[str, Any]:
    wish = {"approval_id": str(request.path_params["approval_id"])}
    return (await parts_of(request).pipeline.run(person, get_approval, wish)).value


def _call_page(
    request: Request,
    person: Caller,
    approval: Mapping[str, Any],
    error: ChatwrightError | None = None,
    typed: str | None = None,
    tried: HTML | None = None,
) -> Response:
    words = _words(approval)
    arguments = _as_json(approval["arguments"])
    if approval["status"] == "waiting" and approve_call.open_to(person):
        text = arguments if typed is None else typed
        body = filled(
            "approval_forms",
            id=words["id"],
            problem="" if error is None else error.message,
            arguments=text,
            rows=str(min(MOST_ROWS, text.count("\n") + 2)),
            tried=tried or HTML(),
        )
    else:
        body = filled("approval_arguments", arguments=arguments)
    status = 200 if error is None else error.http_status
    return page(
        request, words["title"], filled("approval", body=body, decision=_decision(approval), **words), status
    )


def _decision(approval: Mapping[str, Any]) -> HTML:
    if approval["decided_by"] is None:
        return HTML()
    refused = approval["status"] == "refused"
    reason = filled("approval_reason", reason=approval["reason"] or "none given") if refused else HTML()
    return filled("approval_decision", by=approval["decided_by"]["name"], reason=reason)


def _words(approval: Mapping[str, Any]) -> dict[str, str]:
    operation = operation_named(approval["operation"])
    return {
        "id": approval["id"],
        "title": approval["operation"] if operation is None else operation.title,
        "summary": "" if operation is None else operation.summary,
        "name": approval["requested_by"]["name"],
        "kind": approval["requested_by"]["kind"],
        "status": approval["status"],
        "created": at(approval["created_at"], ""),
        "expires": at(approval["expires_at"], ""),
    }


def _as_json(value: object) -> str:
    return orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()


def _sorry(request: Request, error: ChatwrightError) -> Response:
    return message_page(request, "This cannot be shown", error.message, error.http_status)
