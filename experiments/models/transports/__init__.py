"""Transports: they send one request to a model and return its response, without retries.

protocol: `Request`, `Response`, `Transport`.
errors: refusals as errors, by who must act; refusals: what their words mean.
secrets: API keys, and how they stay out of what is stored.
dialect: settings that an endpoint refuses are dropped or renamed.
replies: the one reading of a reply, whichever transport brought it.
bounded_body: bodies read up to a bound.
openai_http: OpenAI-compatible servers, over plain HTTP.
litellm: hosted providers, through litellm.
llama_slots: llama.cpp reads a prefix once for all of its slots.
scripted: models that answer from a script, for tests and trials.
recorded: models that answer as a record has it.
"""
