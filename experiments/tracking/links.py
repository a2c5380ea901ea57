"""Addresses of pages of MLflow's UI, in the form that the UI itself uses."""

import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

PORT = 5000
"""Where `autoevol ui` listens by default."""


def ui_address(port: int = PORT) -> str:
    """Return the address of `autoevol ui`."""
    return f"http://127.0.0.1:{port}"


def is_server(tracking_uri: str) -> bool:
    """Return whether a store is an MLflow server, which serves its own pages."""
    return tracking_uri.startswith(("http://", "https://"))


def pages_of(tracking_uri: str, port: int = PORT) -> str:
    """Return the address of a store's pages: a server's own, or that of `autoevol ui`.

    A password in the server's address is left out.
    """
    if not is_server(tracking_uri):
        return ui_address(port)
    parts = urlsplit(tracking_uri)
    return urlunsplit(
        (parts.scheme, parts.netloc.rpartition("@")[2], parts.path.rstrip("/"), "", "")
    )


def compare_link(run_ids: Sequence[str], experiment_id: str, base: str = ui_address()) -> str:
    """Return the page that compares runs: params, metrics, plots."""
    return f"{base}/#/compare-runs?{_selection(run_ids, experiment_id)}"


def metric_link(
    run_ids: Sequence[str], metric: str, experiment_id: str, base: str = ui_address()
) -> str:
    """Return the page that plots a metric over steps, a line for each run."""
    keys = f"metric={_json(metric)}&plot_metric_keys={_json([metric])}&x_axis=step"
    return f"{base}/#/metric?{_selection(run_ids, experiment_id)}&{keys}"


def runs_link(experiment_id: str, base: str = ui_address()) -> str:
    """Return the experiment's list of runs."""
    # Without the word MLflow's menu is that of traces, which leads to no runs.
    return f"{base}/#/experiments/{experiment_id}/runs?workflowType=machine_learning"


def charts_link(experiment_id: str, base: str = ui_address()) -> str:
    """Return the experiment's page of charts, one for each metric."""
    return f"{base}/#/experiments/{experiment_id}/runs?compareRunsMode=CHART"


def run_link(run_id: str, experiment_id: str, base: str = "") -> str:
    """Return a run's page; without a base, as a link inside the UI."""
    return f"{base}/#/experiments/{experiment_id}/runs/{run_id}".removeprefix("" if base else "/")


def _selection(run_ids: Sequence[str], experiment_id: str) -> str:
    return f"runs={_json(list(run_ids))}&experiments={_json([experiment_id])}"


def _json(value: Any) -> str:
    return quote(json.dumps(value, separators=(",", ":")), safe="")
