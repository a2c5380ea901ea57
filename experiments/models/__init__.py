"""The model boundary: every call of a run goes through here, from a DSPy LM to the wire.

A call passes the modules from top to bottom.

runtime: opens and closes all models of a run: clients, servers, ledger, engine.
lm: the LM class that DSPy uses; carries the draw past DSPy.
engine: the thread and event loop that make all calls; stop and close.
dispatch: the path of one call: ledger, equal calls in flight, budget, client and fallbacks.
client: the client of one role: sends requests with retries and hedging.
retries: the retry rules: what is a failed attempt, when to back off, when a fallback answers.
budget: what a run has used, its caps, and the expected use of a call.
ledger: finished calls in SQLite, so that a resumed run pays none twice.
batches: calls in bulk, through the batch interfaces of providers.
hosted: the endpoints of models behind addresses.
limits: concurrency, rate, health, hedging and stop of one endpoint.
checks: whether a model's settings fit together and the model can be reached, without a call.
settings: a model's settings, and its identity in ledger keys.
batch_options: how calls go to a provider as batches.
prices: prices and provider names out of litellm's files.
transports: requests and responses, and what sends them: HTTP, litellm, scripts.
local: weights of local models, and the llama.cpp server that runs them.
"""
