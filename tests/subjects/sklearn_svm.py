"""sklearn.svm."""

from __future__ import annotations

from sklearn.svm import LinearSVC, LinearSVR

from tests.conformance.domains import FLAGS, SCORE, THREE, WORDS
from tests.conformance.subject import Subject, fitted

SUBJECTS = (
    Subject("LinearSVR", fitted(LinearSVR(random_state=0, max_iter=100_000), SCORE)),
    Subject("LinearSVC", fitted(LinearSVC(random_state=0), FLAGS)),
    Subject("LinearSVC, 3", fitted(LinearSVC(random_state=0), THREE)),
    Subject("LinearSVC, 3, text", fitted(LinearSVC(random_state=0), WORDS)),
    Subject("LinearSVC, Crammer-Singer",
            fitted(LinearSVC(random_state=0, multi_class="crammer_singer"), FLAGS)),
)  # fmt: skip
