export { redact, REDACTED } from '../shared/redact';
