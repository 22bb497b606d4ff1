import { suite } from '../suite.ts';

suite('attacks/*', 'http/*', 'verifiers/*');
