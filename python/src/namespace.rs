//! Namespaces and signers as Python holds them.

use pyo3::prelude::*;
use xorbit::PublicKey;

use crate::errors::usage;

/// An Ed25519 key that signs what is put in a namespace of its own.
#[pyclass(frozen, module = "xorbit")]
pub struct Signer(pub xorbit::Signer);

#[pymethods]
impl Signer {
    /// A new one, from the randomness of the machine.
    #[staticmethod]
    fn generate() -> PyResult<Self> {
        let seed = xorbit::random_seed().map_err(|error| {
            crate::errors::environment(&format!("the machine gives no randomness: {error}"), None)
        })?;
        Ok(Self(xorbit::Signer::from_seed(&seed)))
    }

    /// The one of this seed of 32 bytes.
    #[staticmethod]
    fn from_seed(seed: &[u8]) -> PyResult<Self> {
        let seed: &[u8; 32] = seed.try_into().map_err(|_| {
            usage(
                &format!("a seed of {} bytes", seed.len()),
                Some("a seed has 32 bytes; a key file has them as 64 hexadecimal digits"),
            )
        })?;
        Ok(Self(xorbit::Signer::from_seed(seed)))
    }

    /// The seed, 32 bytes: whoever has it can sign.
    #[getter]
    fn seed(&self) -> [u8; 32] {
        *self.0.seed()
    }

    /// The public key, 64 hexadecimal digits.
    #[getter]
    fn public_key(&self) -> String {
        self.0.public_key().to_string()
    }

    fn __repr__(&self) -> String {
        format!("<Signer of {}>", self.0.public_key())
    }
}

/// A passphrase as people have it, as text or as bytes.
#[derive(FromPyObject)]
enum Passphrase {
    Text(String),
    Bytes(Vec<u8>),
}

/// Under whose key keys live, and so who may write them; in a secret one also who may read.
#[pyclass(frozen, module = "xorbit")]
pub struct Namespace(pub xorbit::Namespace);

#[pymethods]
impl Namespace {
    /// The open namespace of a public name: whoever knows the name can read and write.
    #[staticmethod]
    fn open(name: &str) -> Self {
        Self(xorbit::Namespace::open(name))
    }

    /// The namespace of a signer: only it can write, everybody with its public key can read.
    #[staticmethod]
    fn signed(signer: &Signer) -> Self {
        Self(xorbit::Namespace::signed(signer.0.clone()))
    }

    /// Somebody's signed namespace, to read; a public key has 64 hexadecimal digits.
    #[staticmethod]
    fn of(public_key: &str) -> PyResult<Self> {
        let owner: PublicKey = public_key
            .parse()
            .map_err(|error| usage(&format!("`{public_key}` is {error}"), None))?;
        Ok(Self(xorbit::Namespace::of(owner)))
    }

    /// The secret namespace of a passphrase: whoever knows it can read and write, nobody else can read.
    /// Slow on purpose, about a tenth of a second: make it once and keep it.
    #[staticmethod]
    #[pyo3(signature = (passphrase, name = "default"))]
    fn secret(py: Python<'_>, passphrase: Passphrase, name: &str) -> PyResult<Self> {
        let passphrase = match &passphrase {
            Passphrase::Text(text) => text.as_bytes(),
            Passphrase::Bytes(bytes) => bytes,
        };
        let derived = py.detach(|| xorbit::Namespace::secret_named(passphrase, name));
        derived.map(Self).map_err(|error| usage(&error.to_string(), None))
    }

    /// Whose it is: a public key of 64 hexadecimal digits.
    #[getter]
    fn owner(&self) -> String {
        self.0.owner().to_string()
    }

    /// Whether only who knows a passphrase can read here.
    #[getter]
    fn is_secret(&self) -> bool {
        self.0.is_secret()
    }

    fn __repr__(&self) -> String {
        format!("<Namespace of {}>", self.0.owner())
    }
}
