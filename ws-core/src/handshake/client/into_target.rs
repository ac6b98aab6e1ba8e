//! Conversions into a target.

use http::Uri;
#[cfg(feature = "url")]
use url::Url;

use super::target::{Target, UrlError};

/// Types that say where to connect: a URL in text, an [`http::Uri`], a [`Target`] that was parsed before, and with the
/// feature `url` a `url::Url`.
///
/// Text is read by [`Target::parse`]; a `Uri` is taken as it is.
pub trait IntoTarget: sealed::Sealed {
    /// Where to connect.
    ///
    /// # Errors
    ///
    /// It can't be connected to.
    fn into_target(self) -> Result<Target, UrlError>;
}

impl IntoTarget for Target {
    fn into_target(self) -> Result<Target, UrlError> {
        Ok(self)
    }
}

impl IntoTarget for &Target {
    fn into_target(self) -> Result<Target, UrlError> {
        Ok(self.clone())
    }
}

impl sealed::Sealed for Target {}

impl sealed::Sealed for &Target {}

macro_rules! into_target {
    ($($source:ty: |$it:ident| $target:expr),* $(,)?) => {$(
        impl IntoTarget for $source {
            fn into_target(self) -> Result<Target, UrlError> {
                let $it = self;
                $target
            }
        }

        impl sealed::Sealed for $source {}
    )*};
}

into_target! {
    &str: |url| Target::parse(url),
    &String: |url| Target::parse(url),
    String: |url| Target::parse(&url),
    &Uri: |uri| Target::try_from(uri),
    Uri: |uri| Target::try_from(&uri),
}

#[cfg(feature = "url")]
into_target! {
    &Url: |url| Target::try_from(url),
    Url: |url| Target::try_from(&url),
}

mod sealed {
    pub trait Sealed {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_uris_and_targets_lead_to_the_same_target() {
        let text = "ws://user:secret@a:81/b?c";
        let target = Target::parse(text).expect("a URL");
        let uri = Uri::from_static(text);
        let targets = [
            text.into_target(),
            text.to_owned().into_target(),
            (&text.to_owned()).into_target(),
            (&uri).into_target(),
            uri.into_target(),
            (&target).into_target(),
            target.clone().into_target(),
        ];
        assert!(targets.into_iter().all(|it| it.as_ref() == Ok(&target)));
        #[cfg(feature = "url")]
        {
            let url = Url::parse(text).expect("a URL");
            assert_eq!((&url).into_target().as_ref(), Ok(&target));
            assert_eq!(url.into_target(), Ok(target));
        }
    }
}
