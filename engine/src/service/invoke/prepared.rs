//! A call as its upstream is to hear of it: with the arguments that the publisher sets, and as the request that the
//! publisher describes. Made before money is touched, so that what cannot be sent costs nothing.

use std::sync::Arc;

use super::{Answer, Call};
use crate::{
    catalog::ArgumentFault,
    json::{self, Json},
    pricing::{Price, Quote, quote},
    publishing::rest::ShapedRequest,
    upstream::UpstreamTarget,
};

/// What is sent.
pub(super) struct Prepared {
    /// The arguments object as JSON text.
    pub(super) arguments: Arc<str>,
    /// The request, where its publisher describes one.
    pub(super) shaped: Option<ShapedRequest>,
}

/// What is sent for a call, and what it may cost at worst. What a price counts are the arguments that are sent.
pub(super) fn prepare(call: &Call, price: &Price) -> Result<(Prepared, Quote), Answer> {
    let tool = &call.offer.tool;
    // The body was parsed before; a text that cannot be read again has no valid arguments.
    let given = json::parse(&call.arguments).map_err(|_unreadable| Answer::InvalidArguments(Vec::new()))?;
    tool.schema.validate(&given).map_err(Answer::InvalidArguments)?;
    let priced = |arguments: &Json<'_>| quote(price, arguments).map_err(Answer::Unpriceable);
    let Some(set) = tool.manner.set_arguments.as_ref().filter(|set| !set.is_empty()) else {
        let quote = priced(&given)?;
        let shaped = shape(call, &call.arguments)?;
        return Ok((Prepared { arguments: Arc::clone(&call.arguments), shaped }, quote));
    };
    let unreadable = |error: json::JsonError| {
        Answer::InvalidArguments(vec![ArgumentFault { path: Vec::new(), message: error.kind().to_string() }])
    };
    let merged = set.merge(&call.arguments).map_err(unreadable)?;
    let quote = priced(&json::parse(&merged).map_err(unreadable)?)?;
    let shaped = shape(call, &merged)?;
    Ok((Prepared { arguments: merged.into(), shaped }, quote))
}

fn shape(call: &Call, arguments: &str) -> Result<Option<ShapedRequest>, Answer> {
    let (Some(shape), UpstreamTarget::Http { url, .. }) = (&call.offer.tool.manner.shape, &*call.offer.tool.upstream)
    else {
        return Ok(None);
    };
    let shaped = url::Url::parse(url)
        .map_err(|_not_a_url| ArgumentFault {
            path: Vec::new(),
            message: "cannot be sent: the tool's address is none".to_owned(),
        })
        .and_then(|base| shape.shape(&base, arguments));
    shaped.map(Some).map_err(|fault| Answer::InvalidArguments(vec![fault]))
}
