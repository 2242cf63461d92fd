//! The section `payments`: how credits are bought.

use super::reader::Fields;

/// The section `payments`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Payments {
    /// Who confirms a purchase; where the file does not say, an operator does, and in the demo the purchase itself.
    pub provider: Option<PaymentProvider>,
}

/// Who confirms a purchase.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PaymentProvider {
    /// An operator, in the console or with `tollgate purchase confirm`.
    Manual,
    /// The purchase itself, at once. The server refuses this outside `serve --demo`.
    Demo,
}

impl Payments {
    pub(super) fn read(fields: &mut Fields<'_>) -> Self {
        let choices = [("manual", PaymentProvider::Manual), ("demo", PaymentProvider::Demo)];
        let provider = fields.choice("provider", &choices);
        if provider == Some(PaymentProvider::Demo) {
            fields.reader.warn("`payments.provider` is `demo`: purchases confirm themselves and nobody pays");
        }
        Self { provider }
    }
}
