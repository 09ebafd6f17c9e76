//! RocksDB's settings: small, bounded, and strict about damage.

use rocksdb::{
    BlockBasedIndexType, BlockBasedOptions, Cache, ColumnFamilyDescriptor, DBCompressionType,
    DBRecoveryMode, LogLevel,
};

use super::Table;

const MIB: usize = 1024 * 1024;

/// What may be set about the store. The defaults keep a node with 100,000 records well under 200 MiB of memory.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Options {
    /// Whether a commit waits until the disk has it. Always `true`, except in the test that shows what is lost
    /// without.
    pub sync: bool,
    /// Memory for blocks read, indexes and filters, bytes. Default 48 MiB.
    pub block_cache_bytes: usize,
    /// Memory for writes that are not in table files yet, of all tables together, bytes. Default 32 MiB.
    pub write_buffer_bytes: usize,
    /// Table files held open, at least 16. Default 256.
    pub max_open_files: u16,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            sync: true,
            block_cache_bytes: 48 * MIB,
            write_buffer_bytes: 32 * MIB,
            max_open_files: 256,
        }
    }
}

impl Options {
    /// The database's settings: `new` to make one, `tables` to make those that are missing.
    pub(super) fn settings(&self, new: bool, tables: bool) -> rocksdb::Options {
        let mut settings = rocksdb::Options::default();
        // Never a new database where an old one should be.
        settings.create_if_missing(new);
        settings.create_missing_column_families(tables);
        settings.set_paranoid_checks(true);
        // Drops an unfinished record at the very end of the log and calls everything else damage. The
        // point-in-time mode would stop at the first damaged record and drop confirmed commits after it in silence.
        settings.set_wal_recovery_mode(DBRecoveryMode::TolerateCorruptedTailRecords);
        // A log that was closed and is now missing or shorter is damage too.
        settings.set_track_and_verify_wals_in_manifest(true);
        settings.set_db_write_buffer_size(self.write_buffer_bytes);
        settings.set_max_total_wal_size(2 * self.write_buffer_bytes as u64);
        settings.set_max_open_files(i32::from(self.max_open_files.max(16)));
        settings.set_table_cache_num_shard_bits(2);
        settings.set_max_background_jobs(2);
        settings.set_max_file_opening_threads(2);
        settings.set_max_manifest_file_size(4 * MIB);
        settings.set_log_level(LogLevel::Warn);
        settings.set_max_log_file_size(MIB);
        settings.set_keep_log_file_num(3);
        settings.set_stats_dump_period_sec(0);
        settings.set_stats_persist_period_sec(0);
        // For the count of log syncs.
        settings.enable_statistics();
        settings.set_statistics_level(rocksdb::statistics::StatsLevel::ExceptHistogramOrTimers);
        settings
    }

    /// Every table's settings, and those of the default one.
    pub(super) fn families(&self, cache: &Cache) -> Vec<ColumnFamilyDescriptor> {
        std::iter::once(rocksdb::DEFAULT_COLUMN_FAMILY_NAME)
            .chain(Table::ALL.map(Table::name))
            .map(|name| ColumnFamilyDescriptor::new(name, self.family(cache)))
            .collect()
    }

    fn family(&self, cache: &Cache) -> rocksdb::Options {
        let mut blocks = BlockBasedOptions::default();
        blocks.set_block_cache(cache);
        // Indexes and filters count against the cache, so that memory does not grow with the number of files.
        blocks.set_cache_index_and_filter_blocks(true);
        blocks.set_pin_l0_filter_and_index_blocks_in_cache(true);
        blocks.set_bloom_filter(10.0, false);
        // In parts of one block: whole ones are as large as hundreds, and each look-up of a name that is not in the cache would read and check one anew.
        blocks.set_index_type(BlockBasedIndexType::TwoLevelIndexSearch);
        blocks.set_partition_filters(true);
        blocks.set_metadata_block_size(4 * 1024);
        blocks.set_pin_top_level_index_and_filter(true);
        blocks.set_format_version(5);
        let mut family = rocksdb::Options::default();
        family.set_block_based_table_factory(&blocks);
        // Sealed values do not compress.
        family.set_compression_type(DBCompressionType::None);
        family.set_write_buffer_size(self.write_buffer_bytes / 4);
        family.set_max_write_buffer_number(2);
        // Names are hashes: each new file overlaps all of the level below, which is rewritten with it. Twice as many at a time is half the work.
        family.set_level_zero_file_num_compaction_trigger(8);
        family.set_arena_block_size(64 * 1024);
        family
    }
}
