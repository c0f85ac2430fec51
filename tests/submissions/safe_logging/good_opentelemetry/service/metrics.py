"""Counters of OpenTelemetry, shown in Prometheus' text format. The view is the list of labels that there may be."""

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.metrics.view import View

LABELS = {"route", "status", "how"}

reader = InMemoryMetricReader()
provider = MeterProvider([reader], views=[View(instrument_name="*", attribute_keys=LABELS)], shutdown_on_exit=False)
meter = provider.get_meter("service")
requests = meter.create_counter("requests_total")
messages = meter.create_counter("messages_total")


def text():
    """All counters, a line each."""
    data = reader.get_metrics_data()
    lines = []
    for resource in data.resource_metrics if data else []:
        for scope in resource.scope_metrics:
            for metric in scope.metrics:
                for point in metric.data.data_points:
                    inside = ",".join(f'{key}="{word}"' for key, word in sorted(point.attributes.items()))
                    lines.append(f"{metric.name}{{{inside}}} {point.value}")
    return "".join(line + "\n" for line in sorted(lines))
