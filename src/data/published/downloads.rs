//! Addresses and lengths of the published files of the known sets. The checksums of their unpacked contents are in
//! `checksums.rs`.

/// A published file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Download {
    /// Its address.
    pub address: &'static str,
    /// Its length in bytes.
    pub bytes: u64,
}

impl Download {
    /// Its name.
    pub fn file(&self) -> &'static str {
        self.address.rsplit('/').next().unwrap_or(self.address)
    }

    /// Whether it is an archive of the set's files, rather than one of them.
    pub fn is_archive(&self) -> bool {
        self.address.ends_with(".tar.gz")
    }
}

pub(in crate::data) const MNIST: &[Download] = &[
    Download {
        address: "https://ossci-datasets.s3.amazonaws.com/mnist/train-images-idx3-ubyte.gz",
        bytes: 9_912_422,
    },
    Download {
        address: "https://ossci-datasets.s3.amazonaws.com/mnist/train-labels-idx1-ubyte.gz",
        bytes: 28_881,
    },
    Download {
        address: "https://ossci-datasets.s3.amazonaws.com/mnist/t10k-images-idx3-ubyte.gz",
        bytes: 1_648_877,
    },
    Download {
        address: "https://ossci-datasets.s3.amazonaws.com/mnist/t10k-labels-idx1-ubyte.gz",
        bytes: 4_542,
    },
];

pub(in crate::data) const FASHION: &[Download] = &[
    Download {
        address: "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/train-images-idx3-ubyte.gz",
        bytes: 26_421_880,
    },
    Download {
        address: "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/train-labels-idx1-ubyte.gz",
        bytes: 29_515,
    },
    Download {
        address: "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/t10k-images-idx3-ubyte.gz",
        bytes: 4_422_102,
    },
    Download {
        address: "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/t10k-labels-idx1-ubyte.gz",
        bytes: 5_148,
    },
];

pub(in crate::data) const CIFAR_10: &[Download] = &[Download {
    address: "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
    bytes: 170_052_171,
}];

pub(in crate::data) const CIFAR_100: &[Download] = &[Download {
    address: "https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz",
    bytes: 168_513_733,
}];
