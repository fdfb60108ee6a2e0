// Functions for @google-cloud/functions-framework, chosen by FUNCTION_TARGET.
const fs = require('fs');
const functions = require('@google-cloud/functions-framework');
const { CloudEvent, HTTP } = require('cloudevents');

const note = value => fs.appendFileSync(process.env.EVENTS, JSON.stringify(value) + '\n');

// Writes each CloudEvent that it gets as one line into the file EVENTS.
functions.cloudEvent('handle', event => note(event));

// Responds with an event of the SDK: in binary mode to the first change of a row, in structured mode to others.
functions.http('reply', (request, response) => {
  const event = HTTP.toEvent({ headers: request.headers, body: request.rawBody.toString() });
  const reply = new CloudEvent({ source: '/node', type: 'node.reply', subject: 'é', data: { of: event.type, n: 1.5 } });
  const message = event.type.endsWith('create') ? HTTP.binary(reply) : HTTP.structured(reply);
  note(reply);
  response.set(message.headers).send(message.body);
});

// Takes what it gets with the SDK, which has the specification's JSON schema; writes the event, or what is wrong.
functions.http('validate', (request, response) => {
  const headers = { ...request.headers };
  const body = request.rawBody.toString();
  try {
    const events = [HTTP.toEvent({ headers, body })].flat();
    events.forEach(event => event.validate());
    const again = events.map(event => HTTP.toEvent(HTTP.structured(event)));
    events.forEach((event, i) => note({ event, again: again[i] }));
  } catch (error) {
    note({ error: String(error), details: error.errors, headers, body });
  }
  response.status(204).end();
});
