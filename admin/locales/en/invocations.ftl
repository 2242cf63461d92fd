# invocations
