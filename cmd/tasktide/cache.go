package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"log/slog"
	"os"

	"tasktide/internal/cache"
	"tasktide/internal/jobmon"
	"tasktide/internal/timeline"
)

// cacheFlags say where answers are kept that are asked for again; the zero value keeps none.
type cacheFlags struct {
	CacheBytes int64  `env:"TASKTIDE_CACHE_BYTES" default:"67108864" placeholder:"N" help:"How many bytes of answers are kept in memory to be given again; 0 keeps none (${default})."`
	RedisURL   string `env:"TASKTIDE_REDIS_URL" placeholder:"URL" help:"Keep answers in a Redis instead, for several servers: redis://USER:PASSWORD@HOST:PORT/DATABASE."`
}

// defaultCache is for commands without these flags.
func defaultCache() timeline.Cache { return cache.NewMemory(64 << 20) }

// open returns the cache for the answers from a database, nil when none are kept, and what ends it.
func (f cacheFlags) open(ctx context.Context, database databaseFlag, log *slog.Logger) (timeline.Cache, func() error, error) {
	nothing := func() error { return nil }
	switch {
	case f.CacheBytes < 0:
		return nil, nothing, jobmon.Errorf(jobmon.CodeInvalid, "--cache-bytes must be 0 or more, not %d", f.CacheBytes)
	case f.RedisURL != "":
		kept, err := f.openRedis(database, log)
		if err != nil {
			return nil, nothing, err
		}
		_ = kept.Check(ctx) // answers do without it until it is there
		return kept, kept.Close, nil
	case f.CacheBytes == 0:
		return nil, nothing, nil
	default:
		return cache.NewMemory(f.CacheBytes), nothing, nil
	}
}

func (f cacheFlags) openRedis(database databaseFlag, log *slog.Logger) (*cache.Redis, error) {
	program, err := hashOfProgram()
	if err != nil {
		return nil, err
	}
	prefix := sha256.Sum256([]byte(program + database.shown()))
	return cache.NewRedis(cache.RedisConfig{
		URL: f.RedisURL, Prefix: "tasktide:" + hex.EncodeToString(prefix[:8]) + ":", Log: log,
	})
}

// hashOfProgram tells this build from every other, which may answer the same request in another way.
func hashOfProgram() (string, error) {
	path, err := os.Executable()
	if err != nil {
		return "", err
	}
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	hash := sha256.New()
	_, err = io.Copy(hash, file)
	return string(hash.Sum(nil)), err
}
