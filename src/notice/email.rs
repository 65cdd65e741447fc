//! Notices as mail. A connection is made for each, and none is kept.

use super::{news::Tidings, target::Fault, text};
use crate::{
    cause,
    host::{
        secret_file,
        voice::{EmailTarget, MailTls},
    },
    show::escape,
};
use lettre::{
    Address, AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor,
    message::{
        Mailbox,
        header::{ContentType, HeaderName, HeaderValue},
    },
    transport::smtp::{self, authentication::Credentials},
};
use secrecy::{ExposeSecret, SecretString};

/// The longest line of a subject, in characters.
const LONGEST_SUBJECT: usize = 150;

/// Sends one.
pub async fn send(target: &EmailTarget, tidings: &Tidings, host: &str) -> Result<(), Fault> {
    let message = message(target, tidings, host)?;
    transport(target)?.send(message).await.map(drop).map_err(|error| fault(&error))
}

fn transport(target: &EmailTarget) -> Result<AsyncSmtpTransport<Tokio1Executor>, Fault> {
    let server = target.server.as_str();
    let builder = match target.tls {
        MailTls::Starttls => AsyncSmtpTransport::<Tokio1Executor>::starttls_relay(server),
        MailTls::Tls => AsyncSmtpTransport::<Tokio1Executor>::relay(server),
        MailTls::Off => Ok(AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(server)),
    };
    let builder = builder.map_err(|error| fault(&error))?.port(target.port());
    let (Some(user), Some(password)) = (&target.username, password(target)?) else { return Ok(builder.build()) };
    Ok(builder.credentials(Credentials::new(user.clone(), password.expose_secret().to_owned())).build())
}

/// What logs in, where somebody does.
pub fn password(target: &EmailTarget) -> Result<Option<SecretString>, Fault> {
    target.password_file.as_ref().map(secret_file::read).transpose().map_err(Fault::of_secret)
}

fn message(target: &EmailTarget, tidings: &Tidings, host: &str) -> Result<Message, Fault> {
    let mailbox = |address: &str| match address.parse::<Address>() {
        Ok(address) => Ok(Mailbox::new(None, address)),
        Err(error) => Err(Fault::last(format!("`{address}`: {error}"))),
    };
    let word = tidings.event.word().replace('_', " ");
    let subject = format!("{} {word} on {}", tidings.subject(), escape::short(host));
    let mut builder = Message::builder()
        .from(mailbox(target.from.as_str())?)
        .subject(text::cut(&subject, LONGEST_SUBJECT))
        .message_id(None)
        // So that nobody's absence is answered to us.
        .raw_header(HeaderValue::new(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated".to_owned()))
        .header(ContentType::TEXT_PLAIN);
    for address in &target.to {
        builder = builder.to(mailbox(address.as_str())?);
    }
    builder.body(text::page(tidings, host)).map_err(|error| Fault::last(error.to_string()))
}

fn fault(error: &smtp::Error) -> Fault {
    let why = cause::whole(error);
    if error.is_permanent() { Fault::last(why) } else { Fault::passing(why) }
}
