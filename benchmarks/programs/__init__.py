"""`autoevol.AutoEvol`, `dspy.GEPA` and `dspy.MIPROv2` on programs, at equal calls."""
