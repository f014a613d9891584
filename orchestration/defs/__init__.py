"""The stations of the flow, a module each."""
