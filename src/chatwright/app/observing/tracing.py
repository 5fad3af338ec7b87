"""Traces by OpenTelemetry, set up from its own standard environment (`OTEL_*`)."""

import os
from importlib.metadata import version
from typing import Final

from opentelemetry.trace import (
    ProxyTracerProvider,
    Tracer,
    get_tracer,
    get_tracer_provider,
    set_tracer_provider,
)

from chatwright.kernel.errors import Misconfigured

ENDPOINTS: Final = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
"""Where spans are sent; without either of them no span is made."""


def start_tracing() -> None:
    """Send spans to where the environment says, for the rest of this process; makes none where it names no place.

    `OTEL_SERVICE_NAME`, `OTEL_TRACES_SAMPLER` and the others are read by OpenTelemetry's own SDK. Raises
    Misconfigured when that is not installed.
    """
    if not wants_traces():
        return
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        message = "Traces are wanted, and what sends them is not installed."
        raise Misconfigured(
            message, hint="Install chatwright[otel], or leave OTEL_EXPORTER_OTLP_ENDPOINT out."
        ) from error
    named = {} if os.environ.get("OTEL_SERVICE_NAME") else {SERVICE_NAME: "chatwright"}
    resource = Resource.create({**named, SERVICE_VERSION: version("chatwright")})
    # It hands over what is left when the process ends.
    provider = TracerProvider(resource=resource)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    set_tracer_provider(provider)


def tracer_at_hand() -> Tracer | None:
    """What makes our spans; None where nobody wants any."""
    if isinstance(get_tracer_provider(), ProxyTracerProvider):
        return None
    return get_tracer("chatwright", version("chatwright"))


def wants_traces() -> bool:
    """Whether the environment names a place for traces, and does not switch them off."""
    if os.environ.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return False
    return any(os.environ.get(name) for name in ENDPOINTS)
