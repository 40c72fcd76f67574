"""Families of gauges whose label sets are there from the start, zeros included."""

from collections.abc import Iterable, Mapping

from prometheus_client.core import GaugeMetricFamily


def gauge(name: str, text: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, text, value=value)


def by_label(
    name: str, text: str, label: str, known: Iterable[str], values: Mapping[str, float]
) -> GaugeMetricFamily:
    """One sample for each of `known`, 0 where `values` has none, and for whatever else it has."""
    family = GaugeMetricFamily(name, text, labels=[label])
    for value in dict.fromkeys([*known, *values]):
        family.add_metric([value], float(values.get(value, 0)))
    return family
