"""Calls in bulk, at about half the price: the batch interfaces of providers.

record: which batches there are and what came of them, on disk before anything is sent
provider: what a provider has to offer
litellm_batches: OpenAI, Azure and servers that speak OpenAI's form
own_api: interfaces that litellm does not reach, with what it makes of single calls
anthropic, gemini: those of Anthropic and of Gemini
tools: what sends the batches of a role
search: what became of a batch whose sending was cut off
sending: batches on their way to the provider and back
queue: calls of one role that wait for a batch, and for its end
"""
