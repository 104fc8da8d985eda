"""The one vLLM of a user and machine: who starts it, who may use it, when it ends."""
