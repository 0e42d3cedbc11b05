//! The ways in which PD says no.

use std::time::Duration;

use serde_json::json;

use crate::http::{JSON, Reply};
use crate::shape::Release;

use super::format;

/// A JSON string, as most handlers refuse. 6.5 says it without the code.
pub(super) fn coded(release: Release, status: u16, code: &str, text: &str) -> Reply {
    if release >= Release::V7_5 {
        said(status, &format!("[PD:{code}]{text}"))
    } else {
        said(status, text)
    }
}

/// A JSON string without a code.
pub(super) fn said(status: u16, text: &str) -> Reply {
    Reply::new(status, JSON, format::pretty(&json!(text)))
}

/// What a bad integer in a path, or a body that is no JSON, gets.
pub(super) fn bad_input(text: &str) -> Reply {
    let body = json!({"code": "input", "msg": text, "data": {}});
    let mut reply = Reply::new(400, JSON, format::pretty(&body));
    reply.headers.push(("tidb-error-code", "input".to_owned()));
    reply
}

/// What the router and its middleware say, in plain text.
fn plain(release: Release, status: u16, code: &str, text: &str) -> Reply {
    if release >= Release::V8_5 {
        Reply::text(status, &format!("[PD:apiutil:{code}]{text}"))
    } else {
        Reply::text(status, text)
    }
}

pub(super) fn not_bootstrapped(release: Release) -> Reply {
    coded(
        release,
        500,
        "cluster:ErrNotBootstrapped",
        "TiKV cluster not bootstrapped, please start TiKV first",
    )
}

pub(super) fn not_the_leader(release: Release) -> Reply {
    plain(
        release,
        500,
        "ErrRedirectToNotLeader",
        "redirect to not leader",
    )
}

pub(super) fn redirect_failed(release: Release) -> Reply {
    plain(release, 500, "ErrRedirect", "redirect failed")
}

/// Newer followers first wait for a leader.
pub(super) fn no_leader(release: Release) -> Reply {
    if release >= Release::V8_5 {
        plain(
            release,
            503,
            "ErrRedirectNoLeader",
            "redirect finds no leader",
        )
        .late(Duration::from_secs(3))
    } else {
        Reply::text(503, "no leader")
    }
}

pub(super) fn no_store(release: Release, id: u64) -> Reply {
    coded(
        release,
        404,
        "core:ErrStoreNotFound",
        &format!("store {id} not found"),
    )
}
