"""Models of transformers in this process: loaded, told apart, adapted.

torch, transformers and PEFT are extras; they are imported when a model is loaded.

loading: a model with its tokenizer, without its libraries' output, and checked
adapters: LoRA adapters, and the models that they belong to
weights: the hash of what makes a model write as it does
memory: what fills the memory as one line
free_memory: the memory that is left, as a limit that the system keeps
"""
