// Verifies requests with the verifiers for Node.js: reads a JSON list of {id, secret, body, headers} from stdin, writes
// {standardwebhooks: [error or null], svix: [...]}.
const verifiers = {
  standardwebhooks: require('standardwebhooks').Webhook,
  svix: require('svix').Webhook,
};
const requests = JSON.parse(require('node:fs').readFileSync(0));

function verify(Webhook, { secret, body, headers }) {
  try {
    new Webhook(secret).verify(body, headers);
    return null;
  } catch (error) {
    return error.message;
  }
}

const results = Object.entries(verifiers).map(
  ([name, Webhook]) => [name, requests.map(request => verify(Webhook, request))]);
process.stdout.write(JSON.stringify(Object.fromEntries(results)));
