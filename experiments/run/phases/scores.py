"""The last phase of a run with its models: score the rows that were kept, then filter them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from autoevol.experiments.run.context import OpenRun
from autoevol.experiments.run.planning.plan import Plan
from autoevol.experiments.scores.files import (
    evolved_rows,
    renew_figures,
    rounds_of,
    write_scores,
)
from autoevol.experiments.scores.filtering import (
    Filter,
    counts,
    filtered,
    open_filters,
    write_marks,
)
from autoevol.experiments.scores.results import ScoreResults
from autoevol.experiments.scores.scoring import (
    ScoringResources,
    open_resources,
    score_set,
    score_settings,
)
from autoevol.experiments.scores.stored import BY_ROUND, BY_ROW, read_stored, stored_rows
from autoevol.program.errors import ConfigError
from autoevol.program.listeners import Listeners
from autoevol.program.roles import Role


@dataclass(frozen=True, slots=True)
class ScoreTools:
    """What scores and filters need beside models.

    Attributes:
        resources: None: there are no scores.
        filters: By name, in the config's order.
    """

    resources: ScoringResources | None
    filters: Sequence[tuple[str, Filter]]


def open_score_tools(plan: Plan) -> ScoreTools:
    """Load benchmarks, embeddings and local models.

    Raises:
        ConfigError: One of them cannot be loaded; names the key.
    """
    config = plan.config
    resources = open_resources(config.scores, plan.where) if config.scores.names else None
    return ScoreTools(resources, open_filters(config.filters, plan.where))


@dataclass(frozen=True, slots=True)
class ScorePhase:
    """Scores the seeds and the rows that were kept, then filters the latter.

    Attributes:
        roles: The models that scores ask, by role.
    """

    opened: OpenRun
    tools: ScoreTools
    roles: Mapping[str, Role]

    @property
    def filters_by_scores(self) -> bool:
        """Whether a filter needs a figure that a score gives."""
        return any(getattr(entry, "score", None) for entry in self.opened.plan.config.filters)

    async def run(self, *, is_final: bool = True) -> ScoreResults | None:
        """Score the rows round by round; None: the config asks for no scores.

        Args:
            is_final: Whether the set is complete, so that its figures are worth recording.
        """
        self._drop_damaged_scores()
        if self.tools.resources is None:
            # `autoevol score` may have been called on an earlier try of the rows.
            renew_figures(self.opened.folder.path)
            return None
        config = self.opened.plan.config
        in_flight = self.opened.pipeline.rows_in_flight
        resources = self.tools.resources.with_roles(
            self.roles, in_flight=in_flight, seed=config.seed
        )
        rounds = rounds_of(self.opened.plan.splits.seeds, self.opened.folder.path)
        listeners = Listeners(on_phase=self.opened.on_phase, on_row=self.opened.on_row)
        results = await score_set(rounds, config.scores, resources, listeners)
        self._write(results, is_final)
        return results

    def filter(self) -> Mapping[str, int]:
        """Mark the rows that the filters take out; return their number by filter.

        It comes after `run`, since filters go by scores.
        """
        filters, folder = self.tools.filters, self.opened.folder.path
        if not filters:
            return {}
        marks = filtered(evolved_rows(folder), self.opened.plan.splits.seeds, filters)
        write_marks(folder, marks)
        return counts(marks, filters)

    def _drop_damaged_scores(self) -> None:
        folder = self.opened.folder.path
        try:
            read_stored(folder)
            stored_rows(folder)
        except ConfigError as error:
            self.opened.context.say(
                f"{error}: the scores that the config names are made again, others are lost; "
                "`autoevol score` makes them again"
            )
            for name in (BY_ROW, BY_ROUND):
                (folder / name).unlink(missing_ok=True)

    def _write(self, results: ScoreResults, is_final: bool) -> None:
        for note in results.notes if is_final else ():
            self.opened.context.say(note)
        models = {role: entry.model for role, entry in self.roles.items()}
        settings = score_settings(self.opened.plan.config.scores, models)
        files = write_scores(self.opened.folder.path, results, settings)
        if is_final:
            self.opened.tracker.on_scores(results.figures, files)
