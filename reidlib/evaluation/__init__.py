"""Evaluation: distances, retrieval and cross-view scores, re-ranking, query expansion, what networks know of people
(masks, segments, attributes, flow, frames, gaits), and the statistics of claims."""

from reidlib.evaluation.attributes import AttributeScores, MultiLabelScores, attribute_scores, multilabel_scores
from reidlib.evaluation.clusters import ClusterScores, cluster_scores, feature_clusters
from reidlib.evaluation.distances import pairwise_distances, strip_distances
from reidlib.evaluation.expansion import average_query_expansion, cluster_query_expansion
from reidlib.evaluation.flow import EndPointError, end_point_error
from reidlib.evaluation.frames import FrameScores, frame_scores
from reidlib.evaluation.masks import MaskScores, best_iou, mask_scores, preference, ranks_among
from reidlib.evaluation.probes import explained_variance, linear_prediction
from reidlib.evaluation.protocols import (
    CrossViewScores,
    RetrievalScores,
    cross_view_accuracy,
    retrieval_scores,
)
from reidlib.evaluation.reranking import k_reciprocal_rerank
from reidlib.evaluation.segments import SegmentScores, TemporalConsistency, segment_scores, temporal_consistency

__all__ = [
    "AttributeScores",
    "ClusterScores",
    "CrossViewScores",
    "EndPointError",
    "FrameScores",
    "MaskScores",
    "MultiLabelScores",
    "RetrievalScores",
    "SegmentScores",
    "TemporalConsistency",
    "attribute_scores",
    "average_query_expansion",
    "best_iou",
    "cluster_query_expansion",
    "cluster_scores",
    "cross_view_accuracy",
    "end_point_error",
    "explained_variance",
    "feature_clusters",
    "frame_scores",
    "k_reciprocal_rerank",
    "linear_prediction",
    "mask_scores",
    "multilabel_scores",
    "pairwise_distances",
    "preference",
    "ranks_among",
    "retrieval_scores",
    "segment_scores",
    "strip_distances",
    "temporal_consistency",
]
