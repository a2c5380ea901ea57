"""Which API key belongs to which host: a key goes to no other."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from autoevol.experiments.models.prices import provider_of


@dataclass(frozen=True, slots=True)
class KeyOwner:
    """A provider's key.

    Attributes:
        variable: Where litellm looks for it.
        domains: The provider's own; hosts below them get the key.
    """

    variable: str
    domains: tuple[str, ...]


KEY_OWNERS = {
    "anthropic": KeyOwner("ANTHROPIC_API_KEY", ("anthropic.com",)),
    "cerebras": KeyOwner("CEREBRAS_API_KEY", ("cerebras.ai",)),
    "cohere": KeyOwner("COHERE_API_KEY", ("cohere.ai", "cohere.com")),
    "deepinfra": KeyOwner("DEEPINFRA_API_KEY", ("deepinfra.com",)),
    "deepseek": KeyOwner("DEEPSEEK_API_KEY", ("deepseek.com",)),
    "fireworks_ai": KeyOwner("FIREWORKS_AI_API_KEY", ("fireworks.ai",)),
    "gemini": KeyOwner("GEMINI_API_KEY", ("generativelanguage.googleapis.com",)),
    "groq": KeyOwner("GROQ_API_KEY", ("groq.com",)),
    "mistral": KeyOwner("MISTRAL_API_KEY", ("mistral.ai",)),
    "moonshot": KeyOwner("MOONSHOT_API_KEY", ("moonshot.ai", "moonshot.cn")),
    "openai": KeyOwner("OPENAI_API_KEY", ("api.openai.com",)),
    "openrouter": KeyOwner("OPENROUTER_API_KEY", ("openrouter.ai",)),
    "perplexity": KeyOwner("PERPLEXITYAI_API_KEY", ("perplexity.ai",)),
    "together_ai": KeyOwner("TOGETHERAI_API_KEY", ("together.xyz", "together.ai")),
    "xai": KeyOwner("XAI_API_KEY", ("x.ai",)),
}
"""Other providers' keys are not checked beforehand."""

_AZURE = KeyOwner("AZURE_API_KEY", ("azure.com", "azure-api.net"))
"""Apart: where it is missing, litellm may still have a token of Azure's directory."""

OWN_CREDENTIALS = ("bedrock", "sagemaker", "vertex_ai", "vertex_ai_beta")
"""Providers that litellm reaches with the credentials of a cloud, and not with a key."""


def key_variable_of(model: str, api_base: str | None) -> str | None:
    """Return the variable with the key of a model at an address; None: no key belongs there.

    Args:
        model: A litellm name.
        api_base: None: the provider's own address.
    """
    owner = KEY_OWNERS.get(provider_of(model))
    return owner.variable if owner and not is_foreign(model, api_base) else None


def is_foreign(model: str, api_base: str | None) -> bool:
    """Tell whether an address is not known to be the model's provider's own."""
    owner = _owner_of(model)
    return api_base is not None and not (owner and _owns(owner, api_base))


def withheld_variable(model: str) -> str | None:
    """Return the variable of a provider's key, which a foreign address does not get."""
    owner = _owner_of(model)
    return owner.variable if owner else None


def _owner_of(model: str) -> KeyOwner | None:
    provider = provider_of(model)
    return _AZURE if provider == "azure" else KEY_OWNERS.get(provider)


def _owns(owner: KeyOwner, api_base: str) -> bool:
    """Tell whether an address is the owner's, and nobody between can read the key."""
    parts = urlsplit(api_base)
    host = parts.hostname or ""
    is_below = any(host == domain or host.endswith(f".{domain}") for domain in owner.domains)
    return parts.scheme == "https" and is_below
