"""Everything about the simulator's behaviour that a test may turn while it runs."""

from __future__ import annotations

from typing import Annotated

import msgspec

Count = Annotated[int, msgspec.Meta(ge=0)]
Rate = Annotated[float, msgspec.Meta(ge=0)]


class Knobs(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Limits and delays; the defaults are the documented ones, or "at once" where the vendor only says "soon".

    A rate of 0 means that nothing is limited.

    Args:
        rps_per_app: Writes to users and subscriptions, requests per second and application.
        rps_per_user: The same for one user, or for one subscription.
        view_rps: Views of users, requests per second and application.
        view_burst: Views that may come at once before `view_rps` holds.
        retry_after_s: What ``Retry-After`` says, whole seconds.
        create_visibility_ms: How long a user made over the API still answers 404.
        tag_settle_ms: How long segments and exports still see a user's former tags.
        view_lag_ms: How long a view of a user still shows the former tags.
        export_rows_per_second: How fast an export is written; until it is, its address answers 404.
        latency_ms: How long each answer takes on the machine's clock. The request itself is acted on when it arrives.
        tag_cap: Tags a user, instead of the tier's.
        segment_cap: Segments an application, instead of the tier's.
    """

    rps_per_app: Rate = 1000.0
    rps_per_user: Rate = 1.0
    view_rps: Rate = 1.0
    view_burst: Annotated[int, msgspec.Meta(ge=1)] = 10
    retry_after_s: Annotated[int, msgspec.Meta(ge=1)] = 1
    create_visibility_ms: Count = 0
    tag_settle_ms: Count = 0
    view_lag_ms: Count = 0
    export_rows_per_second: Rate = 2000.0
    latency_ms: Rate = 0.0
    tag_cap: Count | None = None
    segment_cap: Count | None = None
