"""Upload of an exported data set to the Hugging Face hub; private by default."""

import os
import re
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

import httpx
from huggingface_hub import HfApi
from huggingface_hub.utils.tqdm import disable_progress_bars

from autoevol.program.errors import ConfigError

TOKEN = "HF_TOKEN"
"""The environment variable that holds the token."""

_NAME = re.compile(r"[\w.-]+/[\w.-]+")


@dataclass(frozen=True, slots=True)
class Upload:
    """The target of an upload.

    Attributes:
        name: OWNER/NAME.
        is_public: Whether everybody may read it.
    """

    name: str
    is_public: bool = False

    @property
    def option(self) -> str:
        """The command-line option, for messages."""
        return f"--push-to-hub {self.name}"


def check_upload(target: Upload) -> None:
    """Check name and token, before anything is written.

    Raises:
        ConfigError: There is no token, or the name is not OWNER/NAME.
    """
    if not _NAME.fullmatch(target.name):
        raise ConfigError(target.option, "must be OWNER/NAME")
    if not os.environ.get(TOKEN):
        raise ConfigError(
            target.option, f"needs a token: set {TOKEN} in the environment or in .env"
        )


def upload(target: Upload, folder: Path, *, overwrite: bool) -> str:
    """Upload a saved data set with its card in one commit; return its visibility and address.

    Args:
        target: Name and visibility.
        folder: A `DatasetDict` with its card; it is not changed.
        overwrite: Whether an existing data set may get another commit.

    Raises:
        ConfigError: The data set exists, the hub refuses, or it cannot be reached.
    """
    disable_progress_bars()
    api = HfApi(token=os.environ[TOKEN])
    try:
        _prepare(api, target, overwrite=overwrite)
        # The hub shows Parquet, and the exported folder is Arrow: it is converted in a copy.
        with tempfile.TemporaryDirectory() as staging:
            _stage(folder, Path(staging))
            commit = api.upload_folder(
                repo_id=target.name,
                folder_path=staging,
                repo_type="dataset",
                commit_message="Upload rows made with AutoEvol",
            )
    # The hub's refusals are OSErrors, a name that its client does not allow is a ValueError, and a
    # lost connection is an error of httpx.
    except (OSError, ValueError, httpx.HTTPError) as error:
        reason = " ".join(str(error).split())[:200]
        retry = "the same command with --overwrite tries again"
        raise ConfigError(target.option, f"{reason}; {folder} is complete, {retry}") from error
    return f"{'public' if target.is_public else 'private'}: {commit.commit_url}"


def _prepare(api: HfApi, target: Upload, *, overwrite: bool) -> None:
    """Create the data set on the hub, or check that an existing one has the same visibility."""
    if not api.repo_exists(target.name, repo_type="dataset"):
        api.create_repo(target.name, repo_type="dataset", private=not target.is_public)
        return
    if not overwrite:
        raise ConfigError(target.option, "exists on the hub; --overwrite adds a commit to it")
    # A commit must not publish rows that were to stay private.
    is_private = bool(api.dataset_info(target.name).private)
    if is_private == target.is_public:
        visibility, option = ("private", "omit") if is_private else ("public", "add")
        raise ConfigError(
            target.option, f"is {visibility} on the hub; change that there, or {option} --public"
        )


def _stage(folder: Path, staging: Path) -> None:
    """Write a data set in the hub's layout: Parquet files by split, and the card."""
    import datasets

    datasets.disable_progress_bars()
    for split, rows in datasets.load_from_disk(folder).items():
        (staging / "data").mkdir(exist_ok=True)
        # The hub tells the splits of a data set by file names of this form.
        rows.to_parquet(staging / f"data/{split}-00000-of-00001.parquet")
    shutil.copy(folder / "README.md", staging)
