import { runStoreThread } from './storeThread';

runStoreThread();
