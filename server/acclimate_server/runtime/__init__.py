"""The runtime (torch, transformers, peft, vLLM): what this machine can run, where it is found, how it is installed."""
