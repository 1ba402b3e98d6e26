//! Names of the classes of the known sets, in the order of their numbers.

/// The digits, of the embedded set and of MNIST.
pub(in crate::data) static TEN_DIGITS: [&str; 10] =
    ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];

/// Fashion-MNIST, with the names on its page.
#[rustfmt::skip]
pub(in crate::data) static FASHION: [&str; 10] = [
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
];

/// CIFAR-10, as in its `batches.meta.txt`.
#[rustfmt::skip]
pub(in crate::data) static CIFAR_10: [&str; 10] = [
    "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
];

/// CIFAR-100, as in its `fine_label_names.txt`.
#[rustfmt::skip]
pub(in crate::data) static CIFAR_100: [&str; 100] = [
    "apple", "aquarium_fish", "baby", "bear", "beaver", "bed", "bee", "beetle", "bicycle", "bottle",
    "bowl", "boy", "bridge", "bus", "butterfly", "camel", "can", "castle", "caterpillar", "cattle",
    "chair", "chimpanzee", "clock", "cloud", "cockroach", "couch", "crab", "crocodile", "cup", "dinosaur",
    "dolphin", "elephant", "flatfish", "forest", "fox", "girl", "hamster", "house", "kangaroo", "keyboard",
    "lamp", "lawn_mower", "leopard", "lion", "lizard", "lobster", "man", "maple_tree", "motorcycle", "mountain",
    "mouse", "mushroom", "oak_tree", "orange", "orchid", "otter", "palm_tree", "pear", "pickup_truck", "pine_tree",
    "plain", "plate", "poppy", "porcupine", "possum", "rabbit", "raccoon", "ray", "road", "rocket",
    "rose", "sea", "seal", "shark", "shrew", "skunk", "skyscraper", "snail", "snake", "spider",
    "squirrel", "streetcar", "sunflower", "sweet_pepper", "table", "tank", "telephone", "television", "tiger", "tractor",
    "train", "trout", "tulip", "turtle", "wardrobe", "whale", "willow_tree", "wolf", "woman", "worm",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fine_names_are_in_the_order_of_the_alphabet() {
        assert!(CIFAR_100.windows(2).all(|pair| pair[0] < pair[1]));
        assert!(CIFAR_10.windows(2).all(|pair| pair[0] < pair[1]));
    }
}
