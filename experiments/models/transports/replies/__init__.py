"""The one reading of a provider's reply, whichever transport brought it.

reading: a completion's body as a `Response`, or as the error that it means.
bodies: the bytes of a body as JSON: charset, event streams, pages of HTML.
events: an event stream as one completion.
content: the text and the thinking of a message, in the forms in which providers send them.
thinking: thinking that stands inside the text.
residue: tokens of the chat template at the ends of a text, and control characters.
finish: finish reasons by meaning.
usage: token counts, estimated where there are none.
"""
