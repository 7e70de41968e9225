//! How the names of header variables begin.

use super::shape::HeaderView;

pub(super) fn header_view(name: &[u8]) -> Option<(HeaderView, usize)> {
    const VIEWS: [(&[u8], HeaderView); 8] = [
        (b"h_", HeaderView::Decoded),
        (b"header_", HeaderView::Decoded),
        (b"rh_", HeaderView::Raw),
        (b"rheader_", HeaderView::Raw),
        (b"bh_", HeaderView::Basic),
        (b"bheader_", HeaderView::Basic),
        (b"lh_", HeaderView::List),
        (b"lheader_", HeaderView::List),
    ];
    if !matches!(name.first(), Some(b'h' | b'r' | b'b' | b'l')) {
        return None;
    }
    VIEWS.iter().find(|(prefix, _)| name.starts_with(prefix)).map(|(p, view)| (*view, p.len()))
}
