"""Where manifests come from: the working tree, a git revision, a followed branch. And what the ops server alone holds:
the signing key and secret values. GitPython and watchfiles are imported only by what needs them.
"""
