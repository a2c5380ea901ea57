"""Methods as versions of a prompt: what is loaded from MLflow is what ran.

A version's text is the method's Markdown file, with its demonstrations and thinking mode. MLflow
takes `{{…}}` in a text for variables, but only where somebody formats it; we never do.
"""

import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from autoevol.experiments.artifacts.search_record import SearchRecord
from autoevol.experiments.tracking.naming.safe import prompt_name
from autoevol.experiments.tracking.store import Store, set_tags
from autoevol.metrics import FailureRate
from autoevol.program.records import StepRecord
from autoevol.signatures import Method, to_markdown

logger = logging.getLogger(__name__)

METHOD_ID, RUN_KEY, BEST = "method_id", "run_key", "best"
"""Tags of a version, by which it is found again, and the alias of a run's best method."""

_LINKED = "mlflow.linkedPrompts"
"""The tag of a run in which MLflow keeps its prompts. MLflow's own function for it writes to the
store of the process, not to the one that we are handed."""

_LONGEST = 100_000
"""Characters of a prompt; MLflow refuses a longer one."""

# The SQL registry reports an alias that it lacks as an invalid parameter.
_MISSING = frozenset(("RESOURCE_DOES_NOT_EXIST", "NOT_FOUND", "INVALID_PARAMETER_VALUE"))

Bodies = Iterator[tuple[str, dict[str, Any]]]


def accepted_bodies(record: StepRecord) -> Bodies:
    """Yield the key and the content of each method that a step brings: its events.

    Args:
        record: Of the step; the first one brings the initial method.
    """
    if record.step == 0:
        initial = record.incumbent
        yield _event(initial.method, f"initial method: {_shown(initial.failure_rate)}")
    if record.is_accepted:
        best = record.best
        own = (c for c in record.candidates if c.method and c.method.id == best.method.id)
        accepted = next(own, None)
        message = f"{accepted.verdict if accepted else 'accepted'}: {_shown(best.failure_rate)}"
        yield _event(best.method, f"step {record.step + 1}, {message}")


def recorded_bodies(record: SearchRecord) -> Bodies:
    """Yield the same of a search that is over, as `steps.json` holds it."""
    for number, step in enumerate(record.steps, 1):
        if number == 1:
            initial = step.incumbent
            yield _event(record.methods[initial.method], f"initial method: {_shown(initial.rate)}")
        if step.accepted:
            message = f"step {number}, {step.accepted.verdict}: {_shown(step.best.rate)}"
            yield _event(record.methods[step.best.method], message)


def method_body(method: Method, message: str) -> dict[str, Any]:
    """Return what an event says of a method.

    Args:
        method: Any.
        message: Of the version's commit.
    """
    return {
        "id": method.id,
        "name": method.name,
        "thinking": method.thinking,
        "demonstrations": len(method.demonstrations),
        "markdown": to_markdown(method),
        "message": message,
    }


def _event(method: Method, message: str) -> tuple[str, dict[str, Any]]:
    return f"method-{method.id}", method_body(method, message)


def _shown(rate: FailureRate) -> str:
    return f"{rate.failed} of {rate.scored} dev rows fail"


@dataclass(frozen=True, slots=True)
class MethodRegistry:
    """The prompt of a run's methods.

    Attributes:
        run_id: Of the MLflow run.
        run_key: Identifies the run: another one of its name has versions of its own.
        name: Of the run.
    """

    store: Store
    run_id: str
    run_key: str
    name: str

    def register(self, body: Mapping[str, Any]) -> Any | None:
        """Return the version of a method, registered and linked to the run if it is not yet.

        None: MLflow cannot hold the text.
        """
        name, text = prompt_name(self.name), str(body["markdown"])
        if not _fits(text):
            logger.warning("method %s is not in the Prompt Registry: too long", body["name"])
            return None
        version = self._registered(name, body["id"])
        if version is None:
            version = self._new_version(name, text, body)
        self._link(name, str(version.version))
        return version

    def _new_version(self, name: str, text: str, body: Mapping[str, Any]) -> Any:
        from mlflow.exceptions import MlflowException

        try:
            return self.store.client.register_prompt(
                name, text, commit_message=body["message"], tags=self._tags(body)
            )
        except MlflowException:
            # MLflow then enters it in the experiment of MLFLOW_EXPERIMENT_ID, which may be one of
            # another store. By that time the version is there.
            version = self._registered(name, body["id"])
            if version is None:
                raise
            return version

    def name_best(self, version: Any) -> None:
        """Give a version the alias `best`, which the run's name has once."""
        name, client = prompt_name(self.name), self.store.client
        current = aliased(client, name, BEST)
        if current is None or current.version != version.version:
            client.set_prompt_alias(name, BEST, version.version)

    def _tags(self, body: Mapping[str, Any]) -> dict[str, str]:
        from mlflow.prompt.constants import PROMPT_EXPERIMENT_IDS_TAG_KEY

        return {
            METHOD_ID: body["id"],
            RUN_KEY: self.run_key,
            "run_id": self.run_id,
            "method": body["name"],
            "thinking": body["thinking"],
            "demonstrations": str(body["demonstrations"]),
            # MLflow itself would enter the experiment that is active in the process: none is.
            PROMPT_EXPERIMENT_IDS_TAG_KEY: f",{self.store.experiment_id},",
        }

    def _registered(self, name: str, method_id: str) -> Any | None:
        own = {METHOD_ID: method_id, RUN_KEY: self.run_key}
        versions = _versions(self.store.client, name)
        return next((v for v in versions if own.items() <= v.tags.items()), None)

    def _link(self, name: str, version: str) -> None:
        run = self.store.client.get_run(self.run_id)
        linked: list[dict[str, str]] = json.loads(run.data.tags.get(_LINKED, "[]"))
        entry = {"name": name, "version": version}
        if entry not in linked:
            set_tags(self.store.client, run, {_LINKED: json.dumps([*linked, entry])})


def aliased(client: Any, name: str, alias: str) -> Any | None:
    """Return the version of a prompt that has an alias; None: none has."""
    from mlflow.exceptions import MlflowException

    try:
        return client.get_prompt_version_by_alias(name, alias)
    except MlflowException as error:
        if error.error_code not in _MISSING:
            raise
        return None


def _versions(client: Any, name: str) -> Sequence[Any]:
    """Return all versions of a prompt; a prompt that does not exist has none."""
    if client.get_prompt(name) is None:
        return ()
    versions, token = [], None
    while True:
        page = client.search_prompt_versions(name, page_token=token)
        versions.extend(page)
        token = page.token
        if not token:
            return versions


def _fits(text: str) -> bool:
    try:
        text.encode()
    # A row that a demonstration shows may hold half of a surrogate pair, which no database takes.
    except UnicodeEncodeError:
        return False
    return len(text) <= _LONGEST
