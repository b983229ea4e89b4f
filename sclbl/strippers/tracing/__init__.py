"""Code that users wrote, followed: their functions and methods are called once, on stand-ins.

What they are called with stands for arrays (`arrays`) and DataFrames (`frames`), and what they look
up (`following`) for the modules and objects whose functions would not take those.
"""
