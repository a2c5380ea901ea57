"""A user's mistake is one clear line that names file and key or row; exit 2, nothing written."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.command_line import run_cli

WriteConfig = Callable[..., Path]


def refuse(config: Path, *needles: str, arguments: tuple[str, ...] = ()) -> str:
    """Run a config that must be refused, and return the complaint."""
    before = sorted(Path().rglob("*"))
    result = run_cli("run", str(config), *arguments)
    assert result.code == 2, result.err
    assert "Traceback" not in result.err
    assert len(result.err.strip().splitlines()) == 1
    assert "Value error" not in result.err
    assert len(result.err.replace(str(config), "")) < 500
    for needle in needles:
        assert needle in result.err
    assert sorted(Path().rglob("*")) == before
    return result.err


WORLD = {"model": "scripted/world"}


@pytest.mark.parametrize(
    ("sections", "needles"),
    [
        pytest.param({"optimiser": {}}, ["test.yaml: optimiser", "'optimizer'"], id="misspelt"),
        pytest.param({"optimizer": {"stepz": 1}}, ["optimizer.stepz", "'steps'"], id="nested"),
        pytest.param({"optimizer": {"steps": "ten"}}, ["optimizer.steps", "'ten'"], id="type"),
        pytest.param({"optimizer": {"steps": 0}}, ["optimizer.steps", "greater"], id="range"),
        pytest.param(
            {"optimizer": {"name": "magic"}}, ["optimizer.name", "'magic'"], id="optimizer"
        ),
        pytest.param({"failure": {"rules": ["strickt"]}}, ["failure", "strickt"], id="rule"),
        pytest.param(
            {"failure": {"teach": ["learnable"]}},
            ["test.yaml: models.solver", "must be set", "too_hard"],
            id="a gap without solvers",
        ),
        pytest.param(
            {
                "models": {"evolver": WORLD, "solver": {**WORLD, "temperature": 1}},
                "failure": {"teach": ["learnable", "-too_hard"]},
            },
            ["test.yaml: models.strong_solver", "must be set", "no_gap", "-too_hard, -no_gap"],
            id="a gap without a strong solver",
        ),
        pytest.param(
            {
                "models": {"evolver": WORLD, "solver": {**WORLD, "temperature": 0}},
                "failure": {"teach": ["too_easy"]},
            },
            ["test.yaml: models.solver.temperature", "is 0"],
            id="a greedy solver",
        ),
        pytest.param(
            {"failure": {"rules": ["strict", "learnable"]}},
            ["test.yaml: failure.rules", "learnable", "set failure.teach"],
            id="teaching among the rules of both stages",
        ),
        pytest.param(
            {"failure": {"teach": ["strict"]}},
            ["test.yaml: failure.teach", "strict does not say what a row teaches"],
            id="a rule of another stage",
        ),
        pytest.param(
            {
                "optimizer": {"name": "none"},
                "evolve": {"methods": ["weak"], "rounds": 0},
                "failure": {"teach": ["learnable"]},
            },
            ["test.yaml: failure.teach", "evolve.rounds is 0"],
            id="teaching without a rewrite",
        ),
        pytest.param(
            {"failure": {"teach": ["-too_hard"]}},
            ["test.yaml: failure.teach", "takes out every rule"],
            id="no rule of teaching is left",
        ),
        pytest.param(
            {"failure": {"teach": ["lernable"]}},
            ["test.yaml: failure.teach", "did you mean 'learnable'"],
            id="a set misspelt",
        ),
        pytest.param(
            {"failure": {"learnable": {"samples": 1}}},
            ["failure.learnable.samples"],
            id="one sample",
        ),
        pytest.param(
            {"evolve": {"methods": ["e9"]}}, ["evolve.methods", "e9", "methods list"], id="method"
        ),
        pytest.param({"evolve": {"methods": []}}, ["evolve.methods"], id="no method"),
        pytest.param(
            {"evolve": {"methods": ["e0", "weak"]}}, ["evolve.methods", "one method"], id="search"
        ),
        pytest.param({"name": None}, ["name", "required"], id="missing key"),
        pytest.param({"models": {}}, ["models.evolver", "required"], id="no evolver"),
        pytest.param({"name": "a/b"}, ["name"], id="name with a slash"),
        pytest.param(
            {"optimizer": {"temperatures": [0.9, 0.1]}},
            ["optimizer.temperatures"],
            id="range upside down",
        ),
        pytest.param(
            {"optimizer": {"temperatures": [-1, 1]}}, ["optimizer.temperatures"], id="below zero"
        ),
        pytest.param(
            {"output": {"formats": ["alpaca"]}, "evolve": {"methods": ["weak"], "respond": False}},
            ["test.yaml: output.formats needs responses"],
            id="export without responses",
        ),
        pytest.param(
            {"data": {"path": "seeds.jsonl", "dev_size": 0}}, ["dev_size"], id="no dev rows"
        ),
        pytest.param(
            {
                "models": {"evolver": {"model": "scripted/world"}, "judge": {"adapter": "plain"}},
            },
            ["models.judge.adapter"],
            id="plain judge",
        ),
        pytest.param(
            {
                "models": {
                    "evolver": {"model": "hosted_vllm/m", "api_base": "http://localhost/v1"}
                },
                "budget": {"usd": 1},
            },
            ["budget.usd", "hosted_vllm/m"],
            id="dollars without a price",
        ),
        pytest.param(
            {"evolve": {"methods": ["e0", "weak"]}, "optimizer": {"initial_method": "weak"}},
            ["evolve.methods", "one method"],
            id="several methods beside a start",
        ),
        pytest.param(
            {"optimizer": {"initial_method": "nowhere.md"}},
            ["optimizer.initial_method", "nowhere.md"],
            id="method file",
        ),
        pytest.param(
            {"evolve": {"methods": [{"name": "deepen", "language": "elvish"}]}},
            ["evolve.methods", "deepen", "elvish"],
            id="language",
        ),
        pytest.param(
            {"evolve": {"methods": [{"name": "weak", "words": 5}]}},
            ["evolve.methods", "weak", "words"],
            id="parameter",
        ),
        pytest.param(
            {"evolve": {"methods": [{"name": "deepen", "wordz": 5}]}},
            ["evolve.methods.0.wordz", "'words'"],
            id="parameter misspelt",
        ),
        pytest.param(
            {"evolve": {"methods": ["deepen", {"name": "deepen", "words": 9}]}},
            ["evolve.methods", "deepen is listed twice"],
            id="method twice",
        ),
        pytest.param(
            {"evolve": {"methods": ["e0"], "schedule": ["e0"]}},
            ["evolve", "methods or schedule"],
            id="methods beside a schedule",
        ),
        pytest.param({"evolve": {"schedule": [[]]}}, ["evolve", "no method"], id="empty round"),
        pytest.param(
            {"evolve": {"schedule": 3}}, ["evolve.schedule", "list"], id="number of rounds"
        ),
        pytest.param(
            {"evolve": {"methods": ["e0"], "first_round": 3}, "output": {"rounds": [1]}},
            ["output.rounds names round 1", "first_round 3"],
            id="a round before the first",
        ),
        pytest.param(
            {"evolve": {"until": {"words": [5, 9], "max_rounds": "x"}}},
            ["evolve.until.max_rounds", "'x'"],
            id="rounds that are no number",
        ),
        pytest.param(
            {"failure": {"rules": "strict"}}, ["failure: rules", "'strict'"], id="rules as a text"
        ),
        pytest.param({"evolve": {"rounds": 1001}}, ["evolve.rounds", "1000"], id="many rounds"),
        pytest.param({"seed": -1}, ["seed: Input should be greater"], id="negative seed"),
        pytest.param({"seed": 2**32}, ["seed: Input should be less"], id="large seed"),
        pytest.param({"name": "x" * 201}, ["name", "200 bytes"], id="long name"),
        pytest.param({"name": ".."}, ["name", "folder"], id="name of dots"),
        pytest.param({"output": {"dir": "x" * 256}}, ["output.dir", "255 bytes"], id="long folder"),
        pytest.param({"output": {"dir": "~nosuchuser/x"}}, ["output.dir", "no user"], id="no home"),
        pytest.param({"output": {"dir": " "}}, ["output.dir", "empty"], id="blank folder"),
        pytest.param({"k" * 9999: 1}, ["unknown key"], id="long key"),
        pytest.param({"output": "x"}, ["output: must be a mapping"], id="text for a section"),
        pytest.param(
            {"models": {"evolver": 3}}, ["models.evolver: must be"], id="number for a model"
        ),
        pytest.param(
            {"models": {"evolver": {"model": "scripted/world"}, "optimizer": 3}},
            ["models.optimizer: must be a mapping"],
            id="number for a role",
        ),
        pytest.param(
            {"filters": [{"name": "sieve"}]},
            ["filters.0: name must be one of", "'sieve'"],
            id="filter",
        ),
        pytest.param(
            {"optimizer": {"name": "long " * 200}}, ["optimizer.name", "…"], id="long value"
        ),
        *(
            pytest.param({"data": {"path": path}}, ["data.path", needle], id=f"data at {path[:12]}")
            for path, needle in (
                ("~nosuchuser/x", "home"),
                ("x" * 256 + ".json", "too long"),
                ("/dev/stdin", "no file or folder"),
            )
        ),
        *(
            pytest.param(
                {"evolve": {"methods": [path]}},
                ["evolve.methods", needle],
                id=f"method {path[:12]}",
            )
            for path, needle in (
                ("~nosuchuser/x", "home"),
                ("x" * 256, "too long"),
                ("/dev/zero", "device"),
                ("/", "folder"),
            )
        ),
        pytest.param(
            {"answer": {"prompt": "~nosuchuser/x"}}, ["answer.prompt", "home"], id="prompt's home"
        ),
        pytest.param(
            {"answer": {"prompt": "/dev/zero"}}, ["answer.prompt", "device"], id="endless"
        ),
        pytest.param(
            {"evolve": {"rounds": 3, "until": {"words": [5, 9]}}},
            ["evolve", "until.max_rounds"],
            id="rounds said twice",
        ),
        pytest.param(
            {"evolve": {"until": {"words": [9, 5]}}}, ["evolve.until", "range"], id="until"
        ),
        pytest.param({"evolve": {"children": []}}, ["evolve.children"], id="no children"),
        pytest.param(
            {"evolve": {"rounds": 0, "respond": False}}, ["evolve", "neither"], id="nothing to do"
        ),
        pytest.param({"evolve": {"rounds": 0}}, ["evolve.rounds", "none"], id="search for nothing"),
        pytest.param(
            {
                "optimizer": {"name": "none"},
                "evolve": {
                    "choice": "weighted",
                    "methods": [{"name": "e0", "weight": 0}, {"name": "weak", "weight": 0}],
                },
            },
            ["evolve.methods", "weight 0"],
            id="no weight",
        ),
        pytest.param({"evolve": {"choice": "dice"}}, ["evolve.choice", "'dice'"], id="choice"),
        pytest.param(
            {"answer": {"prompt": "gone.txt"}}, ["answer.prompt", "gone.txt"], id="prompt"
        ),
        pytest.param(
            {"data": {"path": "seeds.jsonl", "where": {"lang": "xx"}}},
            ["data.path", "no rows where", "xx"],
            id="no row is wanted",
        ),
    ],
)
def test_a_wrong_config_is_refused(
    write_config: WriteConfig, sections: dict[str, Any], needles: list[str]
) -> None:
    refuse(write_config(**sections), *needles)


@pytest.mark.parametrize(
    ("model", "needles"),
    [
        pytest.param({"model": "scripted/nobody"}, ["models.evolver", "world"], id="scripted"),
        pytest.param({"model": "local/llama-9"}, ["models.evolver", "qwen2.5"], id="local"),
        pytest.param({"model": "local/gone.gguf"}, ["models.evolver", "gone.gguf"], id="gguf"),
        pytest.param({"model": "gpt-nonsense"}, ["models.evolver", "PROVIDER/NAME"], id="unknown"),
        pytest.param({"model": "nobody/model"}, ["models.evolver", "nobody"], id="provider"),
        pytest.param({"model": "hosted_vllm/m"}, ["models.evolver", "api_base"], id="no base"),
        pytest.param({"model": "openai/gpt-4o-mini"}, ["OPENAI_API_KEY", ".env"], id="no key"),
        pytest.param({"model": "gpt-4o-mini"}, ["OPENAI_API_KEY"], id="no key, bare name"),
        pytest.param(
            {"model": "hosted_vllm/m", "api_base": "http://localhost/v1", "api_key_env": "MY_KEY"},
            ["MY_KEY"],
            id="named key not set",
        ),
        pytest.param(
            {"model": "local/qwen2.5-coder-1.5b-instruct", "api_base": "http://localhost"},
            ["models.evolver.api_base", "has no effect"],
            id="api_base on local",
        ),
        pytest.param(
            {"model": "local/qwen2.5-coder-1.5b-instruct", "price": {"input": 1, "output": 1}},
            ["models.evolver.price: has no effect"],
            id="price of a local model",
        ),
        pytest.param({"model": "local/~nosuchuser/x.gguf"}, ["models.evolver.model"], id="no home"),
        pytest.param(
            {"model": "local/" + "x" * 256 + ".gguf"}, ["models.evolver.model"], id="long"
        ),
        pytest.param(
            {"model": "openai/a\nb"}, ["models.evolver.model", "printable"], id="two lines"
        ),
        pytest.param(
            {"model": "openai/m", "api_base": "localhost:8000"},
            ["models.evolver.api_base", "http://"],
            id="address without http",
        ),
        pytest.param(
            {"model": "openai/m", "api_base": "http://["}, ["models.evolver.api_base"], id="no host"
        ),
        pytest.param(
            {"model": "scripted/world", "params": {"top_k": float("inf")}},
            ["models.evolver.params", "JSON"],
            id="no JSON",
        ),
        pytest.param(
            {"model": "scripted/world", "concurrency": 10_001},
            ["models.evolver.concurrency", "at most 10,000"],
            id="more calls than a machine has room for",
        ),
        pytest.param(
            {"model": "scripted/world", "outage": 1e9},
            ["models.evolver.outage", "at most 10,000,000 seconds"],
            id="thirty years",
        ),
        pytest.param(
            {"model": "scripted/world", "timeout": float("inf")},
            ["models.evolver.timeout", "finite"],
            id="for ever",
        ),
        pytest.param(
            {"model": "scripted/world", "context": 512},
            ["models.evolver.context", "has no effect"],
            id="context on hosted",
        ),
        pytest.param(
            {"model": "anthropic/claude-sonnet-4-5", "api_key_env": "MY_KEY"},
            ["MY_KEY"],
            id="no key of one's own",
        ),
        pytest.param(
            {"model": "scripted/world", "adapter": "plain"},
            ["models.evolver.adapter"],
            id="adapter",
        ),
    ],
)
def test_a_model_that_cannot_be_reached_is_refused(
    write_config: WriteConfig, model: dict[str, Any], needles: list[str]
) -> None:
    evolve = {"methods": ["e0" if "adapter" in model else "weak"]}
    refuse(write_config(models={"evolver": model}, evolve=evolve), *needles)


@pytest.mark.parametrize(
    ("text", "needles"),
    [
        pytest.param("", ["holds no rows"], id="empty file"),
        pytest.param('{"instruction": "a"}\n{"instr', ["seeds.jsonl:2", "JSON"], id="JSON"),
        pytest.param('{"a": 1}', ["seeds.jsonl:1", "data.fields.instruction", "a"], id="field"),
        pytest.param('{"instruction": " "}', ["seeds.jsonl:1", "empty"], id="empty instruction"),
        pytest.param('{"instruction": 7}', ["seeds.jsonl:1", "int"], id="number"),
        pytest.param('["a"]', ["seeds.jsonl:1", "object"], id="list"),
        pytest.param('{"instruction": "a", "input": 4}', ["input", "int"], id="input"),
        pytest.param('{"id": [], "instruction": "a"}', ["seeds.jsonl:1", "id"], id="id"),
        pytest.param(
            '{"id": 1, "instruction": "a"}\n\n{"id": "1", "instruction": "b"}',
            ["seeds.jsonl:3", "'1'", "seeds.jsonl:1"],
            id="same id",
        ),
        pytest.param(
            '{"instruction": "a", "instruction": "b"}', ["seeds.jsonl:1", "two values"], id="twice"
        ),
        pytest.param('{"a": ' * 101 + "1" + "}" * 101, ["seeds.jsonl:1", "100 levels"], id="deep"),
        pytest.param('{"id": "x", "instruction": "a\\u0000b"}', ["'x'", "NUL"], id="NUL"),
        pytest.param('{"id": "x", "instruction": "a\\ud800b"}', ["'x'", "surrogate"], id="half"),
    ],
)
def test_wrong_data_is_refused(write_config: WriteConfig, text: str, needles: list[str]) -> None:
    config = write_config()
    Path("seeds.jsonl").write_text(text)
    refuse(config, *needles)


@pytest.mark.parametrize("path", ["gone.jsonl", "./gone", "/gone/seeds.json", "seeds.txt"])
def test_a_missing_file_is_refused(write_config: WriteConfig, path: str) -> None:
    refuse(write_config(data={"path": path}), "data.path", path)


def test_a_hub_name_that_is_not_there_is_refused(write_config: WriteConfig) -> None:
    refuse(write_config(data={"path": "nobody/nothing"}), "data.path", "nobody/nothing", "hub")


def test_splits_larger_than_the_data_are_refused(write_config: WriteConfig) -> None:
    refuse(write_config(20), "30 rows", "20")


def test_a_folder_of_another_config_is_refused(write_config: WriteConfig) -> None:
    run_cli("run", str(write_config()), expected=0)

    complaint = refuse(write_config(seed=5), "runs/test", "seed", "--fresh")

    assert "output.dir" in complaint


def test_a_folder_with_other_files_is_refused(write_config: WriteConfig) -> None:
    Path("runs/test").mkdir(parents=True)
    Path("runs/test/thesis.tex").write_text("years of work")
    refuse(write_config(), "output.dir", "something else")


def test_a_folder_that_cannot_be_written_is_refused(write_config: WriteConfig) -> None:
    Path("file").write_text("no folder")
    refuse(write_config(), "output.dir", "cannot be written", arguments=("--out", "file/run"))


def test_a_file_where_the_folder_should_be_is_refused(write_config: WriteConfig) -> None:
    Path("taken").write_text("a file")
    refuse(write_config(), "output.dir", "taken", arguments=("--out", "taken"))


def test_fresh_moves_no_folder_that_is_not_a_runs(write_config: WriteConfig) -> None:
    Path("thesis").mkdir()
    Path("thesis/a.tex").write_text("years of work")
    refuse(write_config(), "something else", arguments=("--out", "thesis", "--fresh"))


def test_other_seeds_under_the_same_name_are_another_run(write_config: WriteConfig) -> None:
    config = write_config()
    run_cli("run", str(config), expected=0)
    Path("seeds.jsonl").write_text(Path("seeds.jsonl").read_text().replace("rivers", "lakes"))
    refuse(config, "output.dir", "content")


def test_a_search_of_too_few_rows_is_refused(write_config: WriteConfig) -> None:
    refuse(write_config(), "--limit 2", "3 rows", arguments=("--limit", "2"))


def test_optimize_without_a_search_is_refused(write_config: WriteConfig) -> None:
    refused = run_cli("optimize", str(write_config(optimizer={"name": "none"})))
    assert refused.code == 2
    assert "optimizer.name" in refused.err


def test_a_csv_that_is_none_is_refused(write_config: WriteConfig) -> None:
    Path("seeds.csv").write_bytes(b'instruction\n"a\x00b"\n')
    refuse(write_config(data={"path": "seeds.csv"}), "seeds.csv")


@pytest.mark.parametrize(
    ("text", "needles"),
    [
        pytest.param(
            'id,instruction\n1,"Name a\nriver."\n2,Write, then stop.\n',
            ["seeds.csv:4", "3 values", "header has 2", "quotes"],
            id="a comma without quotes",
        ),
        pytest.param(
            'instruction\nName a river.\n"Name a lake.\nName a sea.\n',
            ["seeds.csv:3", "unexpected end of data"],
            id="a quote that is not closed",
        ),
        pytest.param(
            'instruction\n"Say "hi" now."\n', ["seeds.csv:2", "quotes"], id="quotes in quotes"
        ),
        pytest.param(
            "instruction,instruction\na,b\n", ["seeds.csv:1", "two columns"], id="column twice"
        ),
    ],
)
def test_a_csv_that_would_lose_text_is_refused(
    write_config: WriteConfig, text: str, needles: list[str]
) -> None:
    Path("seeds.csv").write_text(text)
    refuse(write_config(data={"path": "seeds.csv"}), *needles)


def test_a_full_disk_is_refused(write_config: WriteConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("autoevol.experiments.artifacts.folder.MINIMUM_DISK", 1 << 60)
    refuse(write_config(), "output.dir", "disk")


@pytest.mark.parametrize(
    ("text", "needle"),
    [("models: [", "YAML"), ("- a\n- b\n", "mapping"), ("name: \x00", "YAML")],
)
def test_a_file_that_is_no_config_is_refused(workplace: Path, text: str, needle: str) -> None:
    Path("broken.yaml").write_text(text)
    refuse(Path("broken.yaml"), "broken.yaml", needle)


@pytest.mark.parametrize(
    ("text", "needles"),
    [
        pytest.param("name: test\nname: t", ["name: line 2", "twice"], id="twice"),
        pytest.param("name: test\nseed: !!int abc", ["seed: line 2", "'abc'"], id="no number"),
        pytest.param("name: &x [*x]", ["name.0: line 1", "itself"], id="in itself"),
        pytest.param("name: " + "[" * 99, ["line 1", "levels"], id="deep"),
    ],
)
def test_yaml_beyond_a_config_is_refused(workplace: Path, text: str, needles: list[str]) -> None:
    Path("broken.yaml").write_text(text)
    refuse(Path("broken.yaml"), "broken.yaml", *needles)
    Path("method.md").write_text(f"---\n{text}\n---\nRewrite.")
    refused = run_cli("methods", "show", "method.md")
    assert refused.code == 2, refused.err
    assert "method.md: is no method" in refused.err


def test_a_config_that_never_ends_is_refused(workplace: Path) -> None:
    os.mkfifo("fifo")
    refuse(Path("fifo"), "fifo", "FIFO")
    refuse(Path("/dev/zero"), "/dev/zero", "device")
    refuse(Path("x" * 256), "too long")
    refuse(Path("~nosuchuser/c.yaml"), "nosuchuser", "home")


def test_a_fifo_among_the_data_is_refused(write_config: WriteConfig) -> None:
    Path("folder").mkdir()
    Path("folder/a.jsonl").write_text('{"instruction": "a"}')
    os.mkfifo("folder/b.jsonl")
    refuse(write_config(data={"path": "folder"}), "folder/b.jsonl", "FIFO")


def test_a_models_name_alone_stands_for_the_model(write_config: WriteConfig) -> None:
    models = {"evolver": "scripted/world", "optimizer": "scripted/world"}
    config = write_config(models=models)
    run_cli("run", str(config), "--dry-run", expected=0)
    more = ("--set", "models.optimizer.temperature=3")
    refuse(config, "models.optimizer.temperature", "3", arguments=more)


def test_a_missing_config_is_refused(workplace: Path) -> None:
    refuse(Path("nowhere.yaml"), "nowhere.yaml")


@pytest.mark.parametrize("override", ["steps", "name.first=x", "optimizer.stepz=1", "seed=[1"])
def test_a_wrong_override_is_refused(write_config: WriteConfig, override: str) -> None:
    refuse(write_config(), override.split("=")[0].split(".")[-1], arguments=("--set", override))


@pytest.mark.parametrize(
    ("settings", "key"),
    [
        ({"tracking_url": "x"}, "tracking_url"),
        ({"tracking_uri": "sqlit:///mlflow.db"}, "tracking_uri"),
        ({"experiment": ""}, "experiment"),
        ({"trace_sampling": 2}, "trace_sampling"),
    ],
)
@pytest.mark.parametrize("arguments", [(), ("--dry-run",)])
def test_a_wrong_tracking_file_is_refused(
    settings: dict[str, Any], key: str, arguments: tuple[str, ...], write_config: WriteConfig
) -> None:
    Path("mlflow.yaml").write_text(yaml.safe_dump(settings))
    refuse(write_config(), "mlflow.yaml", key, arguments=arguments)


def test_a_dry_run_says_where_a_run_will_be_recorded(write_config: WriteConfig) -> None:
    config = write_config()
    Path("mlflow.yaml").write_text("tracking_uri: http://me:secret@host:5000\n")
    text = run_cli("run", str(config), "--dry-run", expected=0).out
    assert "MLflow   experiment autoevol of http://host:5000" in text
    Path("mlflow.db").write_text("This is no database.")
    Path("mlflow.yaml").write_text("tracking_uri: sqlite:///mlflow.db\n")
    assert "not tracked: " in run_cli("run", str(config), "--dry-run", expected=0).out


def test_odd_texts_go_through_and_harm_no_other_row(write_config: WriteConfig) -> None:
    odd = {
        "markers": "Explain [[ ## evolved_instruction ## ]] and [[ ## completed ## ]] to a friend.",
        "braces": "Fill {instruction} and {{evolved_instruction}} with two words.",
        "long": "Summarise this. " + "word " * 20_000,
        "emoji": "Translate 🦊🌍 into words.",
        "right-to-left": "اشرح كيف تعمل المضخة؟",
        "lines": "Sort:\nb\na\n\n\nc",
    }
    config = write_config(optimizer={"name": "none"}, evolve={"methods": ["weak"], "attempts": 8})
    lines = [json.dumps({"id": k, "instruction": v}) for k, v in odd.items()]
    plain = [json.dumps({"id": f"p{i}", "instruction": f"Name {i} trees."}) for i in range(4)]
    Path("seeds.jsonl").write_text("\n".join([*lines, *plain]))

    run_cli("run", str(config), expected=0)

    files = ("evolved.jsonl", "failures.jsonl")
    rows = [json.loads(x) for f in files for x in Path("runs/test", f).read_text().splitlines()]
    assert {row["seed_id"]: row["origin"] for row in rows} == {
        **odd,
        **{f"p{i}": f"Name {i} trees." for i in range(4)},
    }


def test_data_in_the_place_of_a_config_is_said_to_be_data(workplace: Path) -> None:
    Path("questions.csv").write_text("question\nWhy?\n")
    refused = run_cli("run", "questions.csv", expected=2)
    assert refused.err.strip() == (
        "questions.csv: is data, not a config; `autoevol init questions.csv` writes one for it"
    )
