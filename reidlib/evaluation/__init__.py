"""Evaluation: distances, retrieval and cross-view scores, re-ranking, query expansion, and the statistics of
claims."""

from reidlib.evaluation.distances import pairwise_distances, strip_distances
from reidlib.evaluation.expansion import average_query_expansion, cluster_query_expansion
from reidlib.evaluation.protocols import (
    CrossViewScores,
    RetrievalScores,
    cross_view_accuracy,
    retrieval_scores,
)
from reidlib.evaluation.reranking import k_reciprocal_rerank

__all__ = [
    "CrossViewScores",
    "RetrievalScores",
    "average_query_expansion",
    "cluster_query_expansion",
    "cross_view_accuracy",
    "k_reciprocal_rerank",
    "pairwise_distances",
    "retrieval_scores",
    "strip_distances",
]
