"""An exported data set on the Hugging Face hub: private unless said otherwise."""

import os
import re
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from autoevol.program.errors import ConfigError

if TYPE_CHECKING:
    from huggingface_hub import HfApi

TOKEN = "HF_TOKEN"
"""Environment variable with the token."""

_NAME = re.compile(r"[\w.-]+/[\w.-]+")


@dataclass(frozen=True, slots=True)
class Upload:
    """Where a data set is to lie.

    Attributes:
        name: OWNER/NAME.
        is_public: Everybody may read it.
    """

    name: str
    is_public: bool = False

    @property
    def option(self) -> str:
        """The option that asked for it, for messages."""
        return f"--push-to-hub {self.name}"


def check_upload(wanted: Upload) -> None:
    """Check what can be checked before anything is written.

    Raises:
        ConfigError: There is no token, or the name is none.
    """
    if not _NAME.fullmatch(wanted.name):
        raise ConfigError(wanted.option, "must be OWNER/NAME")
    if not os.environ.get(TOKEN):
        raise ConfigError(
            wanted.option, f"needs a token: set {TOKEN} in the environment or in .env"
        )


def upload(wanted: Upload, folder: Path, *, overwrite: bool) -> str:
    """Upload a saved data set with its card in one commit, and say where it lies.

    Args:
        wanted: Name and visibility.
        folder: A `DatasetDict` with its card; it stays as it is.
        overwrite: Whether a data set that is on the hub may get another commit.

    Raises:
        ConfigError: The hub refuses or cannot be reached.
    """
    import httpx
    from huggingface_hub import HfApi
    from huggingface_hub.utils.tqdm import disable_progress_bars

    disable_progress_bars()
    api = HfApi(token=os.environ[TOKEN])
    try:
        _prepare(api, wanted, overwrite=overwrite)
        with tempfile.TemporaryDirectory() as staging:
            _stage(folder, Path(staging))
            commit = api.upload_folder(
                repo_id=wanted.name,
                folder_path=staging,
                repo_type="dataset",
                commit_message="Upload rows made with AutoEvol",
            )
    except (OSError, ValueError, httpx.HTTPError) as error:
        reason = " ".join(str(error).split())[:200]
        again = "the same command with --overwrite tries again"
        raise ConfigError(wanted.option, f"{reason}; {folder} is complete, {again}") from error
    return f"{'public' if wanted.is_public else 'private'}: {commit.commit_url}"


def _prepare(api: "HfApi", wanted: Upload, *, overwrite: bool) -> None:
    """Make the data set on the hub; one that is there must be as visible as was asked for."""
    if not api.repo_exists(wanted.name, repo_type="dataset"):
        api.create_repo(wanted.name, repo_type="dataset", private=not wanted.is_public)
        return
    if not overwrite:
        raise ConfigError(wanted.option, "is on the hub already; --overwrite adds a commit to it")
    is_private = bool(api.dataset_info(wanted.name).private)
    if is_private == wanted.is_public:
        seen = "private" if is_private else "public"
        raise ConfigError(wanted.option, f"is {seen} on the hub; change that there or here")


def _stage(folder: Path, staging: Path) -> None:
    """Lay out a data set as the hub shows it: Parquet files by split, and the card."""
    import datasets

    datasets.disable_progress_bars()
    for split, rows in datasets.load_from_disk(folder).items():
        (staging / "data").mkdir(exist_ok=True)
        rows.to_parquet(staging / f"data/{split}-00000-of-00001.parquet")
    shutil.copy(folder / "README.md", staging)
