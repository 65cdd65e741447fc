//! A server of S3's protocol that knows one key, and a client of another make to look with.

use std::{
    net::{TcpListener, TcpStream},
    path::PathBuf,
    process::{Child, Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

/// A port that is free now, below those from which outgoing connections take theirs.
pub fn free_port() -> u16 {
    let free = |port: &u16| TcpListener::bind(("127.0.0.1", *port)).is_ok();
    std::iter::repeat_with(|| fastrand::u16(20_000..32_000)).find(free).unwrap()
}

/// Where `make tools` puts what tests ask for.
fn program(name: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("target/tools/moto/bin").join(name);
    assert!(path.exists(), "`{}` is not there: run `make tools`", path.display());
    path
}

pub struct Server {
    process: Child,
    pub port: u16,
    /// A key that may do everything, and its secret.
    pub key: String,
    pub secret: String,
}

/// Before this many calls nobody is asked for a key: they make the key.
const BEGIN: &str = "
import json
kw = dict(endpoint_url=url, region_name='us-east-1', aws_access_key_id='AKIAIOSFODNN7EXAMPLE', aws_secret_access_key='x')
iam = boto3.client('iam', **kw)
iam.create_user(UserName='u')
allowed = {'Version': '2012-10-17', 'Statement': [{'Effect': 'Allow', 'Action': '*', 'Resource': '*'}]}
iam.put_user_policy(UserName='u', PolicyName='p', PolicyDocument=json.dumps(allowed))
key = iam.create_access_key(UserName='u')['AccessKey']
boto3.client('s3', **kw).create_bucket(Bucket='copies')
print(key['AccessKeyId'])
print(key['SecretAccessKey'])
";

impl Server {
    pub fn begin() -> Self {
        let port = free_port();
        let process = Command::new(program("moto_server"))
            .args(["-H", "127.0.0.1", "-p", &port.to_string()])
            .env("INITIAL_NO_AUTH_ACTION_COUNT", "4")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut server = Self { process, port, key: String::new(), secret: String::new() };
        let began = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(began.elapsed() < Duration::from_secs(60), "the server does not answer");
            sleep(Duration::from_millis(50));
        }
        let told = server.asked(BEGIN);
        (server.key, server.secret) = (told[0].clone(), told[1].clone());
        server
    }

    /// What a line of the other client says, by lines.
    pub fn asked(&self, line: &str) -> Vec<String> {
        let (url, key, secret) = (format!("http://127.0.0.1:{}", self.port), &self.key, &self.secret);
        let script = format!(
            "import boto3\nurl = '{url}'\ns3 = boto3.client('s3', endpoint_url=url, region_name='us-east-1', aws_access_key_id='{key}x'[:-1] or 'x', aws_secret_access_key='{secret}x'[:-1] or 'x')\n{line}"
        );
        let output = Command::new(program("python")).args(["-c", &script]).output().unwrap();
        assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
