// Functions for @google-cloud/functions-framework, chosen by FUNCTION_TARGET.
const fs = require('fs');
const functions = require('@google-cloud/functions-framework');
const { HTTP } = require('cloudevents');

const note = value => fs.appendFileSync(process.env.EVENTS, JSON.stringify(value) + '\n');

// Writes each CloudEvent that it gets as one line into the file EVENTS.
functions.cloudEvent('handle', event => note(event));

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
