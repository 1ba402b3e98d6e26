//! CRC-32 of the unpacked contents of the published files.

/// MNIST, from the files with the published MD5.
pub(in crate::data) const MNIST: &[u32] = &[0xe9f4_d8b3, 0xe0cb_4ad2, 0x9137_3bdf, 0x4ab9_eff9];

/// Fashion-MNIST, from the files with the published MD5.
pub(in crate::data) const FASHION: &[u32] = &[0xb4f2_9f28, 0x741a_4657, 0x678f_e0b1, 0x8014_2c1f];

/// CIFAR-10, from the archive with the published SHA-1.
#[rustfmt::skip]
pub(in crate::data) const CIFAR_10: &[u32] = &[
    0xb322_0c1f, 0xc439_a348, 0x8c6f_54f0, 0x6a83_637e, 0x2f35_5afd, 0x1977_7d49,
];

/// CIFAR-100, from the archive with the published MD5.
pub(in crate::data) const CIFAR_100: &[u32] = &[0xa468_5bbf, 0x456d_334f];

/// The embedded digits: images, labels.
pub(in crate::data) const DIGITS: &[u32] = &[0xec43_3432, 0x57ef_b39d];
